"""A classifier with layers of its own above the grid, which the backbone's one pass gives anyway.

They are the backbone's last ones, the 1x1 convolution and the pooling after it, retrained for the
problem: other cells of a photo may matter, and which channels meet in one. The backbone below stays
as it is, so no photo is looked at twice.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from vision.backbones.base import Features
from vision.errors import WeightsError
from vision.heads import CLASSIFIERS
from vision.heads.classifier import Classifier, ClassifierConfig, spec_of
from vision.heads.loading import load_weights
from vision.versions import Version

WIDEST = 8192


@dataclass(frozen=True, slots=True)
class UpperConfig:
    """`channels` of a cell of the grid, `width` of what is made of them."""

    channels: int
    width: int


class UpperLayers(nn.Module):
    """Grids (B, G, G, channels) and pooled stride-16 maps (B, C16) -> (B, width + C16).

    With the backbone's own weights it is what `vision.heads.classifier.describe` gives.
    """

    def __init__(self, config: UpperConfig) -> None:
        super().__init__()
        self.config = config
        self.cells = nn.Linear(config.channels, config.width)  # a 1x1 convolution

    def forward(self, grids_BGGC: Tensor, stride16_BF: Tensor) -> Tensor:
        pooled_BF = functional.relu6(self.cells(grids_BGGC)).mean(dim=(1, 2))
        return torch.cat([pooled_BF, stride16_BF], dim=1)


@CLASSIFIERS.register("trained-above-the-grid")
class UpperClassifier(Classifier):
    """A `classifier:…` part of a version whose upper layers were trained too."""

    def __init__(self, version: Version, spec: dict[str, Any], device: str) -> None:
        super().__init__(version, spec, device)
        layers = UpperLayers(_read_config(spec))
        self.layers = load_weights(layers, version, str(spec.get("layers")), device=device)

    def describe(self, features: Features) -> NDArray[np.float32]:
        """Raises WeightsError when the backbone has another grid."""
        if features.grid.shape[-1] != self.layers.config.channels:
            raise WeightsError("A classifier was trained on another backbone; train it again.")
        grids, stride16 = (
            torch.from_numpy(each).to(self.device) for each in (features.grid, features.stride16)
        )
        with torch.inference_mode():
            return self.layers(grids, stride16).cpu().numpy()


def upper_spec_of(
    config: ClassifierConfig, upper: UpperConfig, *, title: str, file: str, labels: str, layers: str
) -> dict[str, Any]:
    """What a manifest says of a classifier with layers of its own, which are in a second file."""
    own = {"name": "trained-above-the-grid", "layers": layers, "upper": asdict(upper)}
    return spec_of(config, title=title, file=file, labels=labels) | own


def _read_config(spec: dict[str, Any]) -> UpperConfig:
    """Raises WeightsError unless the specification has the two numbers."""
    try:
        config = UpperConfig(**{key: int(value) for key, value in spec["upper"].items()})
    except (KeyError, TypeError, ValueError, AttributeError):
        raise WeightsError(
            "The manifest does not say how large a classifier's layers are."
        ) from None
    if not (0 < config.channels <= WIDEST and 0 < config.width <= WIDEST):
        raise WeightsError(f"Layers of a classifier cannot be so large: {config}.")
    return config
