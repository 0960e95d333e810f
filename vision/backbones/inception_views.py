"""Inception-v3 as a feature extractor, in the two ways it comes.

`inception-v3`: our own weights, distilled from EfficientNet-Lite2 and kept as int8 ONNX; its grid
is projected to the teacher's, so that heads made for one fit the other.
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


class InceptionViews(nn.Module):
    """Map photos to pooled features, a pooled stride-16 map, a grid and ImageNet logits.

    Shapes: pixels_BHWC (B, S, S, 3) uint8 RGB -> pooled (B, 2048), stride16 (B, 768), grid
    (B, cells, cells, outputs), or (B, N, N, 2048) without a projector, logits (B, 1000).
    """

    def __init__(
        self, network: InceptionV3, scaling: Scaling, grid: GridProjector | None = None
    ) -> None:
        super().__init__()
        self.network = network
        self.scaling = scaling
        self.grid = grid

    def forward(self, pixels_BHWC: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        low, high = self.network.maps(self.scaling.scale(pixels_BHWC))
        pooled = high.mean(dim=(2, 3))
        grid = self.grid(low, high) if self.grid else high.permute(0, 2, 3, 1)
        return pooled, low.mean(dim=(2, 3)), grid, self.network.fc(pooled)


def shorten_classifier(network: InceptionV3, rank: int) -> InceptionV3:
    """Replace `fc` by its best approximation of a rank, as two layers; in place.

    With 1,000 classes on 2,048 features, rank 256 needs 0.8 million numbers, not 2.0.
    """
    weight, bias = (network.fc.get_parameter(name).detach() for name in ("weight", "bias"))
    left, values, right = torch.linalg.svd(weight, full_matrices=False)
    down, up = nn.Linear(weight.shape[1], rank), nn.Linear(rank, len(weight))
    with torch.no_grad():
        down.weight.copy_(right[:rank])
        down.bias.zero_()  # a bias, since ONNX gives layers without one another name
        up.weight.copy_(left[:, :rank] * values[:rank])
        up.bias.copy_(bias)
    network.fc = nn.Sequential(down, up)
    return network


def empty_views(spec: dict[str, Any]) -> InceptionViews:
    """The network of a specification, BatchNorm folded, before its weights are loaded."""
    network = fold_batchnorm(InceptionV3(aux=False))
    shorten_classifier(network, spec["rank"])
    grid = GridConfig(**spec["grid"])
    return InceptionViews(
        network, SCALINGS[spec["scaling"]], GridProjector(cells=grid.cells, outputs=grid.outputs)
    )


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
