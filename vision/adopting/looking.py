"""What both backbones see in the owner's photos, kept portion by portion in a work folder.

Interrupted, the next call goes on with the portions that are not there yet. Numbers only are kept
(float16), of the grid a few cells of each photo, since neighbouring cells say nearly the same.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.adapters import described, resampled
from vision.adopting.backbone import views_of
from vision.backbones.base import Backbone
from vision.eye import Eye
from vision.pixels import squash_batch
from vision.sight import Image

logger = logging.getLogger(__name__)

PORTION = 32
CELLS_A_PHOTO = 12

# Photos by their number; None for one that cannot be read.
Load = Callable[[Sequence[int]], Sequence[Image | None]]
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Pair:
    """The eye that serves and the backbone that is to take over."""

    eye: Eye
    new: Backbone

    @property
    def input_size(self) -> int:
        return max(self.eye.input_size, self.new.input_size)

    def look(self, images: Sequence[Image], numbers: NDArray[np.int64]) -> Arrays:
        """What each says of these photos; `numbers` choose the cells that are kept."""
        old = self.eye.features(images)
        new = self.new(squash_batch(images, self.new.input_size))
        cells = old.grid.shape[1]
        at = np.stack([chosen_cells(number, cells) for number in numbers])
        return {
            "number": numbers,
            "described": described(views_of(new)),
            "pooled": old.pooled,
            "stride16": old.stride16,
            "logits": old.logits,
            "classes": np.full(len(numbers), new.logits.shape[1]),
            "old_cells": _picked(old.grid, at),
            "new_cells": _picked(resampled(new.grid, cells), at),
            "embedding": self.eye.embed(old),
        }


def chosen_cells(number: int, side: int) -> NDArray[np.int64]:
    """Which cells of the photo with this number are kept: always the same ones."""
    rng = np.random.default_rng([number, side])
    return rng.choice(side * side, min(CELLS_A_PHOTO, side * side), replace=False)


def _picked(grid_BGGC: NDArray[np.float32], at_BK: NDArray[np.int64]) -> NDArray[np.float32]:
    flat = grid_BGGC.reshape(len(grid_BGGC), -1, grid_BGGC.shape[-1])
    return np.take_along_axis(flat, at_BK[:, :, None], axis=1)


def look_at_all(
    pair: Pair,
    numbers: Sequence[int],
    load: Load,
    *,
    work: Path,
    progress: Callable[[int, int], object],
) -> Arrays:
    """All of it, one row a photo; what cannot be read is left out."""
    work.mkdir(parents=True, exist_ok=True)
    found = []
    for start in range(0, len(numbers), PORTION):
        portion = list(numbers[start : start + PORTION])
        path = work / f"{_name(portion)}.npz"
        if not path.exists():
            _keep(path, _look(pair, portion, load))
        with np.load(path, allow_pickle=False) as kept:
            found.append({name: kept[name] for name in kept.files})
        progress(min(start + PORTION, len(numbers)), len(numbers))
    seen = [each for each in found if "described" in each]
    names = seen[0] if seen else {}
    return {name: np.concatenate([each[name] for each in seen]) for name in names}


def _look(pair: Pair, portion: Sequence[int], load: Load) -> Arrays:
    read = list(zip(portion, load(portion), strict=True))
    numbers = np.array([n for n, image in read if image is not None], dtype=np.int64)
    images = [image for _, image in read if image is not None]
    if not images:
        return {"number": numbers}
    seen = pair.look(images, numbers)
    return {
        name: array.astype(np.float16) if array.dtype.kind == "f" else array
        for name, array in seen.items()
    }


def _keep(path: Path, arrays: Arrays) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    partial.rename(path)


def _name(portion: Sequence[int]) -> str:
    return hashlib.sha256(repr(list(portion)).encode()).hexdigest()[:16]
