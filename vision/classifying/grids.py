"""Feature grids of photos, on disk until a batch wants them: 57 kB for each view of a photo."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Halves = NDArray[np.float16]


class Grids:
    """Grids of N photos, each as it is and mirrored, in parts (n, 2, G, G, C) one after another."""

    def __init__(self, parts: Sequence[Halves]) -> None:
        self.parts = [part for part in parts if len(part)]
        self.ends = np.cumsum([len(part) for part in self.parts])

    @property
    def channels(self) -> int:
        return int(self.parts[0].shape[-1])

    def take(self, rows: NDArray[np.int64], turned: NDArray[np.bool_]) -> Tensor:
        """(B, G, G, C) of photos by number; mirrored where `turned`."""
        which = np.searchsorted(self.ends, rows, side="right")
        places = zip(which.tolist(), rows.tolist(), turned.tolist(), strict=True)
        chosen = [
            self.parts[part][row - int(self.ends[part]), int(view)] for part, row, view in places
        ]
        return torch.from_numpy(np.stack(chosen).astype(np.float32))


def once(grids: NDArray[np.floating[Any]]) -> Halves:
    """Grids of photos that nobody mirrored: both views are the one, which is kept once."""
    halves = grids.astype(np.float16)[:, None]
    return np.broadcast_to(halves, (len(grids), 2, *grids.shape[1:]))


def keep_grids(place: Path, plain: NDArray[np.float32], mirrored: NDArray[np.float32]) -> None:
    partial = place.with_suffix(".partial")
    with partial.open("wb") as file:
        both = np.stack([plain, mirrored], axis=1).astype(np.float16)
        np.save(file, both, allow_pickle=False)
    partial.rename(place)


def kept_grids(place: Path) -> Halves:
    """As they are on disk: nothing is read before it is asked for."""
    found: Halves = np.load(place, mmap_mode="r", allow_pickle=False)
    return found


def forget_grids(kept: Path) -> None:
    """They are large, and only a training that is not done needs them."""
    for place in kept.glob("*.grids.npy"):
        place.unlink()
