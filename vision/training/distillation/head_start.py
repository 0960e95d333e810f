"""Where a student's new layers begin: at the best they can do with features that have not learned.

Random layers would send noise into the stages below them for hundreds of steps; ridge regression
from a few thousand photos takes as long as fifteen steps.
"""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from vision.adopting.fitting import LinearMap, Ridge
from vision.training.distillation.student import Student, Views

Rows = NDArray[np.float32]
LEFT_OUT_EVERY = 10
CELLS_A_PHOTO = 3


@torch.no_grad()
def begin(student: Student, lessons: Iterable[tuple[Tensor, Tensor, Views]]) -> dict[str, float]:
    """Set the heads by regression; what each explains of left-out photos' variance.

    A lesson is the maps of stride 16 and 32 of some photos and the teacher's views of them.
    """
    rows: dict[str, list[Tensor]] = {}
    for low, high, wanted in lessons:
        for name, each in _rows(low.float(), high.float(), wanted, student.grid.cells).items():
            rows.setdefault(name, []).append(each)
    found = {name: torch.cat(parts).numpy() for name, parts in rows.items()}
    pooled, stride16 = _Fit(found["high"]), _Fit(found["low"])
    fitted = {
        "pooled": pooled(found["pooled"]),
        "logits": pooled(found["logits"]),
        "stride16": stride16(found["stride16"]),
        "grid": _Fit(found["seen_cells"])(found["cells"]),
    }
    _set(student.pooled, fitted["pooled"])
    _set(student.network.fc, fitted["logits"])
    _set(student.stride16, fitted["stride16"])
    _set_grid(student, fitted["grid"])
    return {name: round(each.explained, 4) for name, each in fitted.items()}


class _Fit:
    """One decomposition of inputs, every tenth row left out to choose the penalty by."""

    def __init__(self, x: Rows) -> None:
        self.left_out = np.arange(len(x)) % LEFT_OUT_EVERY == 0
        self.ridge = Ridge(x[~self.left_out], x[self.left_out])

    def __call__(self, y: Rows) -> LinearMap:
        return self.ridge.fit(y[~self.left_out], y[self.left_out])


def _rows(low: Tensor, high: Tensor, wanted: Views, cells: int) -> dict[str, Tensor]:
    """Inputs and targets of each head; of the grid, a few cells of each photo."""
    at = torch.arange(CELLS_A_PHOTO) * (cells * cells // CELLS_A_PHOTO) + cells // 2
    seen = torch.cat([_resized(each, cells).flatten(2)[:, :, at] for each in (low, high)], dim=1)
    return {
        "low": low.mean(dim=(2, 3)),
        "high": high.mean(dim=(2, 3)),
        "seen_cells": seen.transpose(1, 2).flatten(0, 1),
        "pooled": wanted.pooled,
        "stride16": wanted.stride16,
        "logits": wanted.logits,
        "cells": wanted.grid.flatten(1, 2)[:, at].flatten(0, 1),
    }


def _resized(x: Tensor, cells: int) -> Tensor:
    return functional.interpolate(x, size=(cells, cells), mode="bilinear", align_corners=False)


def _set(layer: nn.Module, fitted: LinearMap) -> None:
    layer.get_parameter("weight").copy_(torch.from_numpy(fitted.matrix.T.copy()))
    layer.get_parameter("bias").copy_(torch.from_numpy(fitted.bias))


def _set_grid(student: Student, fitted: LinearMap) -> None:
    weight = torch.from_numpy(fitted.matrix.T.copy())[:, :, None, None]
    width = student.grid.low.weight.shape[1]
    student.grid.low.weight.copy_(weight[:, :width])
    student.grid.low.get_parameter("bias").copy_(torch.from_numpy(fitted.bias))
    student.grid.high.get_parameter("weight").copy_(weight[:, width:])
