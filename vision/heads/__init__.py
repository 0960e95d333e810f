"""Heads by name: each turns the features of one backbone pass into one part of a Sight.

A factory takes the version, the head's specification from the manifest and the torch device, and
returns a callable from Features to one result a photo. A new head is one module with one
`register` line, imported at the end of this file.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vision.backbones.base import Features
from vision.registry import Registry
from vision.versions import Version

Spec = dict[str, Any]

Embedder = Callable[[Features], NDArray[np.float32]]
Tagger = Callable[[Features], list[list[tuple[str, float]]]]


class Captioned(NamedTuple):
    """The captions of one photo; `others` by language code, empty when only English is spoken."""

    caption: str
    confidence: float
    others: dict[str, tuple[str, float]]


Captioner = Callable[[Features], list[Captioned]]

EMBEDDERS: Registry[Callable[[Version, Spec, str], Embedder]] = Registry("embedding head")
TAGGERS: Registry[Callable[[Version, Spec, str], Tagger]] = Registry("tag head")
CAPTIONERS: Registry[Callable[[Version, Spec, str], Captioner]] = Registry("caption head")
# Classifiers that were trained here say tags as well; a version may have any number of them.
CLASSIFIERS: Registry[Callable[[Version, Spec, str], Tagger]] = Registry("classifier")

from vision.heads import (  # noqa: E402
    captions,  # noqa: F401
    classifier,  # noqa: F401
    embedding,  # noqa: F401
    image_head,  # noqa: F401
    polyglot,  # noqa: F401
    tags,  # noqa: F401
    upper,  # noqa: F401
    word_tags,  # noqa: F401
)
from vision.strong import blip, joint  # noqa: E402, F401
