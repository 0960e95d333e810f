"""Inception-v3 as a feature extractor, in the ways it comes.

`inception-v3`: our own weights, distilled from EfficientNet-Lite2 and kept as int8 ONNX. Its grid
is projected to the teacher's; with a `Speaker` all it says is in the teacher's terms, so that every
head of a version on EfficientNet-Lite2 goes on as it is. Without one, heads see its own features.
`inception-v3-official`: torchvision's weights as safetensors, run by torch; its grid is the last
map as it is.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from vision.backbones import BACKBONES, onnx_weights
from vision.backbones.base import Backbone
from vision.backbones.inception import (
    PAPER_SIZE,
    SYMMETRIC,
    UNIT,
    GridProjector,
    InceptionV3,
    Scaling,
    fold_batchnorm,
)
from vision.backbones.onnx import OnnxBackbone
from vision.backbones.torch_backbone import TorchBackbone
from vision.heads.loading import load_weights
from vision.versions import Version

SCALINGS = {"unit": UNIT, "symmetric": SYMMETRIC}


@dataclass(frozen=True, slots=True)
class GridConfig:
    """The grid that the caption head and the heat map read."""

    cells: int = 9
    outputs: int = 352
    rank: int = 128  # of the projection from 2,048 channels


@dataclass(frozen=True, slots=True)
class SpeakerConfig:
    """Widths of what the teacher says, and of the bottleneck before it."""

    rank: int = 192  # with 256 the exported file is 24.2 MB
    pooled: int = 1280
    stride16: int = 120
    logits: int = 1000

    @property
    def widths(self) -> tuple[int, int, int]:
        return self.pooled, self.stride16, self.logits


class Speaker(nn.Module):
    """The teacher's pooled features, stride-16 map and logits, from the student's features.

    Shapes: (B, 2048), (B, 768) -> (B, pooled), (B, stride16), (B, logits).
    """

    def __init__(self, config: SpeakerConfig) -> None:
        super().__init__()
        self.config = config
        self.down = nn.Linear(2048 + 768, config.rank)
        self.up = nn.Linear(config.rank, sum(config.widths))

    def forward(self, pooled: Tensor, stride16: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        said = self.up(self.down(torch.cat([pooled, stride16], dim=1)))
        first, second, third = said.split(self.config.widths, dim=1)
        return first, second, third


class InceptionViews(nn.Module):
    """Map photos to pooled features, a pooled stride-16 map, a grid and ImageNet logits.

    Shapes: pixels_BHWC (B, S, S, 3) uint8 RGB -> pooled (B, 2048), stride16 (B, 768), grid
    (B, cells, cells, outputs), or (B, N, N, 2048) without a projector, logits (B, 1000); with a
    speaker the widths are the teacher's.
    """

    def __init__(
        self,
        network: InceptionV3,
        scaling: Scaling,
        grid: GridProjector | None = None,
        speaker: Speaker | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.scaling = scaling
        self.grid = grid
        self.speaker = speaker

    def forward(self, pixels_BHWC: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        low, high = self.network.maps(self.scaling.scale(pixels_BHWC))
        pooled, stride16 = high.mean(dim=(2, 3)), low.mean(dim=(2, 3))
        grid = self.grid(low, high) if self.grid else high.permute(0, 2, 3, 1)
        if self.speaker:
            pooled, stride16, logits = self.speaker(pooled, stride16)
            return pooled, stride16, grid, logits
        return pooled, stride16, grid, self.network.fc(pooled)


def short_classifier(rank: int) -> nn.Sequential:
    """Two layers in the place of `fc`. Each has a bias: ONNX renames layers without one."""
    return nn.Sequential(nn.Linear(2048, rank), nn.Linear(rank, 1000))


def short_projection(rank: int, outputs: int) -> nn.Sequential:
    """Two convolutions in the place of a grid's projection of the last map."""
    return nn.Sequential(nn.Conv2d(2048, rank, 1), nn.Conv2d(rank, outputs, 1))


@torch.no_grad()
def shorten(long: nn.Module, short: nn.Sequential) -> nn.Sequential:
    """Make `short` the best approximation of `long` that its rank allows.

    With 1,000 classes on 2,048 features, rank 256 needs 0.8 million numbers, not 2.0.
    """
    weight, down, up = (m.get_parameter("weight") for m in (long, short[0], short[1]))
    left, values, right = torch.linalg.svd(weight.flatten(1), full_matrices=False)
    rank = len(down)
    down.copy_(right[:rank].reshape(down.shape))
    up.copy_((left[:, :rank] * values[:rank]).reshape(up.shape))
    for layer in short:
        layer.get_parameter("bias").zero_()
    if "bias" in dict(long.named_parameters()):
        short[1].get_parameter("bias").copy_(long.get_parameter("bias"))
    return short


def empty_views(spec: dict[str, Any]) -> InceptionViews:
    """The network of a specification, BatchNorm folded, before its weights are loaded."""
    network, sizes = fold_batchnorm(InceptionV3(aux=False)), GridConfig(**spec["grid"])
    grid = GridProjector(cells=sizes.cells, outputs=sizes.outputs)
    grid.high = short_projection(sizes.rank, sizes.outputs)
    speaker = Speaker(SpeakerConfig(**spec["speaker"])) if "speaker" in spec else None
    network.fc = nn.Identity() if speaker else short_classifier(spec["rank"])
    return InceptionViews(network, SCALINGS[spec["scaling"]], grid, speaker)


@BACKBONES.register("inception-v3")
def load_inception(version: Version, spec: dict[str, Any], device: str) -> Backbone:
    """The exported int8 network on a CPU, the same weights in torch on anything else."""
    path, size = version.path(spec["onnx"]), int(spec["input_size"])
    if device == "cpu":
        return OnnxBackbone(path, input_size=size, threads=torch.get_num_threads())
    network = onnx_weights.fill(empty_views(spec), path)
    return TorchBackbone(network, input_size=size, device=device)


@BACKBONES.register("inception-v3-official")
def load_official(version: Version, spec: dict[str, Any], device: str) -> Backbone:
    """torchvision's weights, BatchNorm folded, in torch on any device."""
    network = load_weights(InceptionV3(), version, spec["file"], device=device)
    network.AuxLogits = None
    views = InceptionViews(fold_batchnorm(network), SYMMETRIC)
    size = int(spec.get("input_size", PAPER_SIZE))
    return TorchBackbone(views, input_size=size, device=device)
