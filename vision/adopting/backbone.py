"""A backbone behind adapters: it sees, the adapters say it in the words of another backbone."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vision.backbones import BACKBONES
from vision.backbones.base import Backbone, Features
from vision.backbones.inception_views import load_official
from vision.backbones.onnx import OnnxBackbone
from vision.errors import WeightsError
from vision.versions import Version

Rows = NDArray[np.float32]


class Adapters:
    """Linear maps from the features of one backbone to those of another.

    `weights` holds, for each of pooled, stride16, logits, a matrix (described, out) and a bias
    (out,), and for the grid (cell, out); `cells` is the side of the grid that heads are used to.
    """

    PARTS = ("pooled", "stride16", "logits", "grid")

    def __init__(self, weights: Mapping[str, Rows], *, cells: int) -> None:
        wanted = {f"{part}.{kind}" for part in self.PARTS for kind in ("matrix", "bias")}
        if set(weights) != wanted:
            raise WeightsError(f"The adapters lack {sorted(wanted - set(weights)) or 'nothing'}.")
        self.weights = {name: array.astype(np.float32) for name, array in weights.items()}
        self.cells = cells

    def __call__(self, features: Features) -> Features:
        described = describe(features)
        pooled, stride16, logits = (
            self._map(part, described) for part in ("pooled", "stride16", "logits")
        )
        grid = self._map("grid", resampled(features.grid, self.cells))
        return Features(pooled, stride16, grid, logits)

    def _map(self, part: str, x: Rows) -> Rows:
        matrix, bias = self.weights[f"{part}.matrix"], self.weights[f"{part}.bias"]
        if x.shape[-1] != len(matrix):
            raise WeightsError(
                f"The adapter of {part} takes {len(matrix)} numbers, the backbone gives "
                f"{x.shape[-1]}."
            )
        return x @ matrix + bias


def describe(features: Features) -> Rows:
    """All that a backbone says of a whole photo, (B, pooled + stride16 + classes)."""
    parts = (features.pooled, features.stride16, features.logits)
    return np.concatenate([np.asarray(part, np.float32) for part in parts], axis=1)


def resampled(grid_BGGC: Rows, cells: int) -> Rows:
    """A grid stretched bilinearly to (B, cells, cells, C); corners stay corners' centres."""
    if grid_BGGC.shape[1] == cells:
        return np.asarray(grid_BGGC, np.float32)
    grid_BCGG = torch.from_numpy(np.ascontiguousarray(grid_BGGC)).float().permute(0, 3, 1, 2)
    stretched = torch.nn.functional.interpolate(
        grid_BCGG, size=(cells, cells), mode="bilinear", align_corners=False
    )
    return stretched.permute(0, 2, 3, 1).contiguous().numpy()


class AdoptedBackbone:
    """The new backbone, heard by the old heads."""

    def __init__(self, inner: Backbone, adapters: Adapters) -> None:
        self.inner, self.adapters = inner, adapters
        self.input_size = inner.input_size

    def __call__(self, pixels_BHWC: NDArray[np.uint8]) -> Features:
        return self.adapters(self.inner(pixels_BHWC))


@BACKBONES.register("adopted")
def load_adopted(version: Version, spec: dict[str, Any], device: str) -> AdoptedBackbone:
    """`of` names the backbone behind the adapters; the rest of the specification is its own."""
    inner = BACKBONES[spec["of"]](version, spec | {"name": spec["of"]}, device)
    weights: Any = version.arrays(spec["adapters"])
    return AdoptedBackbone(inner, Adapters(weights, cells=int(spec["cells"])))


@BACKBONES.register("inception-v3-official-int8")
def load_official_int8(version: Version, spec: dict[str, Any], device: str) -> Backbone:
    """The official Inception-v3 as int8, calibrated on the owner's photos; torch on a GPU."""
    if device == "cpu":
        path, size = version.path(spec["onnx"]), int(spec["input_size"])
        return OnnxBackbone(path, input_size=size, threads=torch.get_num_threads())
    return load_official(version, spec, device)
