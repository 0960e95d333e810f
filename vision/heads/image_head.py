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
from vision.probabilities import softmax
from vision.sight import EMBED_DIM
from vision.versions import Version

MOST = 0.5  # of the last coordinate, for photos that are like nothing people write of


@dataclass(frozen=True, slots=True)
class ImageHeadConfig:
    """Widths of what the backbone gives and of the head.

    `convolved`: the backbone pools a convolution of its grid with ReLU6, not the grid itself.
    `squeezed`: what the hidden layer reads is first made so narrow; 0 leaves it as it is.
    `bank`: how many texts say which photos are hubs (see `Hubs`); 0 knows no hubs.
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
    squeezed: int = 0
    bank: int = 0
    hub_scale: float = 22.0
    hub_weight: float = 0.0

    @property
    def described(self) -> int:
        return sum(self.sections)

    @property
    def inner(self) -> int:
        """Numbers of the embedding that say what is seen; the last one may speak of hubs."""
        return self.embed_dim - bool(self.bank)

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
    named = [softmax(features.logits, t) @ names_CE for t in temperatures]
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
        width, squeezed = config.described, config.squeezed
        self.linear = nn.Linear(width, config.inner)
        self.squeeze = nn.Linear(width, squeezed, bias=False) if squeezed else nn.Identity()
        self.up = nn.Linear(squeezed or width, config.hidden)
        self.down = nn.Linear(config.hidden, config.inner)
        self.hubs = Hubs(config) if config.bank else None
        self.dropout = nn.Dropout(dropout)
        self.hidden_dropout = nn.Dropout(hidden_dropout)

    def forward(self, described_BF: Tensor) -> Tensor:
        seen_BD = functional.normalize(self.before_norm(described_BF), dim=-1)
        return self.hubs(seen_BD) if self.hubs else seen_BD

    def before_norm(self, described_BF: Tensor) -> Tensor:
        x_BF = self.dropout(described_BF)
        hidden_BH = self.hidden_dropout(functional.gelu(self.up(self.squeeze(x_BF))))
        return self.linear(x_BF) + self.down(hidden_BH)

    @torch.no_grad()
    def fold(self, mean_F: Tensor, deviation_F: Tensor) -> None:
        """Make a head of standardised descriptions take raw ones: W (x - mean) / deviation + b.

        Only for heads that squeeze nothing.
        """
        for layer in (self.linear, self.up):
            weight = layer.weight / deviation_F
            layer.bias.sub_(weight @ mean_F)
            layer.weight.copy_(weight)


class Hubs(nn.Module):
    """Put back photos that are near to everything ("hubs"), which would crowd every result.

    How near a photo is to a bank of texts that people wrote of other photos is a number of the
    photo alone; it becomes the embedding's last coordinate, where all texts have the same value.
    So plain inner products rank as querybank normalisation does (Bogolin et al. 2022,
    arXiv:2112.12777), without a bank at search time. (B, D - 1) -> (B, D), both of unit norm.
    """

    def __init__(self, config: ImageHeadConfig) -> None:
        super().__init__()
        self.scale, self.weight = config.hub_scale, config.hub_weight
        self.bank = nn.Parameter(torch.zeros(config.bank, config.inner))
        self.usual = nn.Parameter(torch.zeros(1))

    def forward(self, seen_BD: Tensor) -> Tensor:
        excess_B1 = self.nearness(seen_BD) - self.usual
        last_B1 = (-self.weight * excess_B1).clamp(-MOST, MOST)
        return torch.cat([seen_BD * (1 - last_B1**2).sqrt(), last_B1], dim=1)

    def nearness(self, seen_BD: Tensor) -> Tensor:
        """A soft maximum of the similarity to the bank's texts, (B, 1)."""
        scores_BM = self.scale * seen_BD @ self.bank.T
        return scores_BM.logsumexp(dim=1, keepdim=True) / self.scale


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
