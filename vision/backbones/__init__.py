"""Backbones by name. A factory takes the version, its specification and the torch device."""

from collections.abc import Callable
from typing import Any

from vision.backbones.base import Backbone
from vision.registry import Registry
from vision.versions import Version

BACKBONES: Registry[Callable[[Version, dict[str, Any], str], Backbone]] = Registry("backbone")

from vision.adopting import backbone as _adopted  # noqa: E402, F401
from vision.backbones import efficientnet, inception_views  # noqa: E402, F401 (they register)
