"""The image side of the joint embedding: what a backbone saw, described, then mapped.

A photo is described by its pooled features, the pooled stride-16 map, the mean and the peaks of the
feature grid, and by the names of the ImageNet classes it resembles: class probabilities times the
names' sentence embeddings (ConSE, Norouzi et al. 2014, arXiv:1312.5650). The last makes words known
that no caption of the training photos has. A linear map and a small MLP beside it do the rest.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from vision.backbones.base import Features
from vision.heads import EMBEDDERS
from vision.heads.loading import load_weights
from vision.sight import EMBED_DIM
from vision.versions import Version


@dataclass(frozen=True, slots=True)
class ImageHeadConfig:
    """Widths of what the backbone gives and of the head.

    `convolved`: the backbone pools a convolution of its grid with ReLU6, not the grid itself.
    """

    pooled: int = 1280
    stride16: int = 120
    grid: int = 352
    classes: int = 1000
    name: int = 384
    temperatures: tuple[float, ...] = (1.0, 3.0)
    hidden: int = 1024
    embed_dim: int = EMBED_DIM
    convolved: bool = True

    @property
    def described(self) -> int:
        return sum(self.sections)

    @property
    def sections(self) -> tuple[int, ...]:
        """Widths of the parts of a description, in their order."""
        names = (self.name,) * len(self.temperatures)
        return (self.pooled, self.stride16, *names, self.grid, self.grid)

    @classmethod
    def of(cls, features: Features, *, name: int, **others: Any) -> "ImageHeadConfig":
        """For the features of some backbone and class names embedded in `name` numbers."""
        return cls(
            pooled=features.pooled.shape[1],
            stride16=features.stride16.shape[1],
            grid=features.grid.shape[-1],
            classes=features.logits.shape[1],
            name=name,
            **others,
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, spec: dict[str, Any]) -> "ImageHeadConfig":
        return cls(**{**spec, "temperatures": tuple(spec["temperatures"])})


def describe(
    features: Features, names_CE: NDArray[np.float32], temperatures: Sequence[float]
) -> NDArray[np.float32]:
    """What a head reads of each photo, (B, described) float32; widths as in `sections`.

    `names_CE` holds the sentence embedding of each class name, (classes, E).
    """
    cells = features.grid.reshape(len(features.grid), -1, features.grid.shape[-1])
    cells = cells.astype(np.float32)
    named = [_softmax(features.logits, t) @ names_CE for t in temperatures]
    pooled = (features.pooled, features.stride16)
    parts = [*pooled, *named, cells.mean(axis=1), cells.max(axis=1)]
    return np.concatenate([np.asarray(part, np.float32) for part in parts], axis=1)


class ImageHead(nn.Module):
    """Map descriptions (B, described) to (B, embed_dim) of L2 norm 1."""

    config: ImageHeadConfig

    def __init__(
        self, config: ImageHeadConfig, *, dropout: float = 0.0, hidden_dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.config = config
        self.linear = nn.Linear(config.described, config.embed_dim)
        self.up = nn.Linear(config.described, config.hidden)
        self.down = nn.Linear(config.hidden, config.embed_dim)
        self.dropout = nn.Dropout(dropout)
        self.hidden_dropout = nn.Dropout(hidden_dropout)

    def forward(self, described_BF: Tensor) -> Tensor:
        return functional.normalize(self.before_norm(described_BF), dim=-1)

    def before_norm(self, described_BF: Tensor) -> Tensor:
        x_BF = self.dropout(described_BF)
        hidden_BH = self.hidden_dropout(functional.gelu(self.up(x_BF)))
        return self.linear(x_BF) + self.down(hidden_BH)

    @torch.no_grad()
    def fold(self, mean_F: Tensor, deviation_F: Tensor) -> None:
        """Make a head of standardised descriptions take raw ones: W (x - mean) / deviation + b."""
        for layer in (self.linear, self.up):
            weight = layer.weight / deviation_F
            layer.bias.sub_(weight @ mean_F)
            layer.weight.copy_(weight)


class ShippedHead(nn.Module):
    """The head beside what only its version's file keeps: class names, and how to draw heat.

    `cells` maps each cell of the grid to what is pooled, `classifier` that to logits; `generic` is
    the embedding of an average text. See `vision.heat`.
    """

    config: ImageHeadConfig

    def __init__(self, config: ImageHeadConfig) -> None:
        super().__init__()
        self.config = config
        self.head = ImageHead(config)
        self.names = nn.Parameter(torch.zeros(config.classes, config.name))
        self.cells = nn.Linear(config.grid, config.pooled)
        self.classifier = nn.Linear(config.pooled, config.classes)
        self.generic = nn.Parameter(torch.zeros(config.embed_dim))


@EMBEDDERS.register("described")
class DescribedEmbedder:
    """The image side of a version, numpy in and out."""

    def __init__(self, version: Version, spec: dict[str, Any], device: str) -> None:
        self.device = device
        self.config = ImageHeadConfig.from_json(spec["config"])
        shipped = load_weights(ShippedHead(self.config), version, spec["file"], device=device)
        self.names_CE = shipped.names.cpu().numpy()
        self.head = shipped.head

    def __call__(self, features: Features) -> NDArray[np.float32]:
        """(B, 512) float32 of unit norm."""
        described_BF = describe(features, self.names_CE, self.config.temperatures)
        with torch.inference_mode():
            return self.head(torch.from_numpy(described_BF).to(self.device)).cpu().numpy()


def _softmax(logits_BC: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    scaled = logits_BC.astype(np.float32) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
