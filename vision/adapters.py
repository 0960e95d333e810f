"""Linear maps from the features of one backbone to those of another, see `vision.adopting`.

Torch-free, since heat maps are drawn without torch.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.errors import WeightsError
from vision.versions import Version

Rows = NDArray[np.float32]
# Of a backbone: pooled (B, C), stride16 (B, C16), grid (B, G, G, Cg), logits (B, classes).
Views = tuple[Rows, Rows, Rows, Rows]

PARTS = ("pooled", "stride16", "logits", "grid")


class Adapters:
    """What one backbone sees, in the numbers of another.

    `weights` holds a matrix and a bias for each of PARTS: from all that the backbone says of a
    whole photo (`described`), and for the grid from cell to cell. `cells` is the side of the grid
    that heads are used to.
    """

    def __init__(self, weights: Mapping[str, NDArray[Any]], *, cells: int) -> None:
        wanted = {f"{part}.{kind}" for part in PARTS for kind in ("matrix", "bias")}
        if set(weights) != wanted:
            odd = ", ".join(sorted(wanted ^ set(weights)))
            raise WeightsError(f"The adapters are not of this kind; look at: {odd}.")
        self.weights = {name: array.astype(np.float32) for name, array in weights.items()}
        self.cells = cells

    def __call__(self, views: Views) -> Views:
        x = described(views)
        pooled, stride16, logits = (self._map(p, x) for p in ("pooled", "stride16", "logits"))
        return pooled, stride16, self._map("grid", resampled(views[2], self.cells)), logits

    def _map(self, part: str, x: Rows) -> Rows:
        matrix, bias = self.weights[f"{part}.matrix"], self.weights[f"{part}.bias"]
        if x.shape[-1] != len(matrix):
            raise WeightsError(
                f"The adapter of {part} takes {len(matrix)} numbers, the backbone gives "
                f"{x.shape[-1]}."
            )
        return x @ matrix + bias


def open_adapters(version: Version, spec: Mapping[str, Any]) -> Adapters | None:
    """Those of a backbone's specification, if it has any. Raises WeightsError."""
    if "adapters" not in spec:
        return None
    return Adapters(version.arrays(spec["adapters"]), cells=int(spec["cells"]))


def described(views: Views) -> Rows:
    """All that a backbone says of a whole photo, (B, pooled + stride16 + classes)."""
    pooled, stride16, _, logits = views
    parts = (pooled, stride16, logits)
    return np.concatenate([np.asarray(part, np.float32) for part in parts], axis=1)


def resampled(grid_BGGC: Rows, cells: int) -> Rows:
    """A grid stretched bilinearly to (B, cells, cells, C)."""
    side = grid_BGGC.shape[1]
    grid_BGGC = np.asarray(grid_BGGC, np.float32)
    if side == cells:
        return grid_BGGC
    shares = _shares(side, cells)
    by_row = np.einsum("ig,bghc->bihc", shares, grid_BGGC, optimize=True)
    return np.einsum("jh,bihc->bijc", shares, by_row, optimize=True)


def _shares(side: int, cells: int) -> Rows:
    """How much of each old cell (side) is in each new one (cells), (cells, side)."""
    place = np.clip((np.arange(cells) + 0.5) * side / cells - 0.5, 0, side - 1)
    low = np.floor(place).astype(int)
    high = np.minimum(low + 1, side - 1)
    shares = np.zeros((cells, side), dtype=np.float32)
    np.add.at(shares, (np.arange(cells), low), 1 - (place - low))
    np.add.at(shares, (np.arange(cells), high), place - low)
    return shares
