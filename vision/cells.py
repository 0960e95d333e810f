"""What each cell of a photo's feature grid gives to its similarity to a query, in numpy.

See `vision.heat` for what it is for, `vision.heads.image_head` for the head that it takes apart.
"""

from dataclasses import dataclass
from math import erf, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.errors import WeightsError
from vision.probabilities import softmax
from vision.versions import Version

Floats = NDArray[np.float32]

HEAD = "described"  # the embedder whose parts this module knows
PEAK = 6.0  # of ReLU6, where the backbone pools a convolution of its grid


@dataclass(frozen=True, slots=True)
class Seen:
    """One photo by a backbone: pooled (C,), stride16 (C16,), grid (G, G, Cg), logits (classes,)."""

    pooled: Floats
    stride16: Floats
    grid: Floats
    logits: Floats


class Head:
    """The embedding head of a version, as far as it can be traced back to cells."""

    def __init__(self, arrays: dict[str, Any], config: dict[str, Any]) -> None:
        self.weights = {name: array.astype(np.float32) for name, array in arrays.items()}
        self.temperatures: tuple[float, ...] = tuple(config["temperatures"])
        self.convolved: bool = config["convolved"]

    def shares(self, seen: Seen, query_D: Floats) -> Floats:
        """(G, G): what each cell gives to the similarity, beyond what it gives to any text."""
        side, width = seen.grid.shape[0], seen.grid.shape[-1]
        grid_NG = seen.grid.reshape(-1, width).astype(np.float32)
        cells_NC = self._cells(grid_NG)
        said = len(self.weights["head.linear.bias"])  # what follows is the same for all texts
        slope = self._slope(seen, grid_NG, (query_D - self.weights["generic"])[:said])
        pooled, _, *named, mean, peak = slope
        # Pooled numbers and logits are means over cells, so each cell gives its own share of them.
        pooled = pooled + self._through_names(seen, named) @ self.weights["classifier.weight"]
        shares_N = cells_NC @ pooled + grid_NG @ mean
        # The peak of each number is the gift of one cell alone.
        highest_G = grid_NG.argmax(axis=0)
        gifts_G = grid_NG.max(axis=0) * peak * len(grid_NG)
        shares_N += np.bincount(highest_G, weights=gifts_G, minlength=len(grid_NG))
        return shares_N.reshape(side, side).astype(np.float32)

    def _cells(self, grid_NG: Floats) -> Floats:
        """What the backbone pools of each cell."""
        cells = grid_NG @ self.weights["cells.weight"].T + self.weights["cells.bias"]
        return np.clip(cells, 0.0, PEAK) if self.convolved else cells

    def _slope(self, seen: Seen, grid_NG: Floats, query_D: Floats) -> list[Floats]:
        """How the similarity grows with each number of the description, by sections."""
        w = self.weights
        names = [softmax(seen.logits, t) @ w["names"] for t in self.temperatures]
        parts = [seen.pooled, seen.stride16, *names, grid_NG.mean(axis=0), grid_NG.max(axis=0)]
        squeeze = w.get("head.squeeze.weight")
        described_F = np.concatenate(parts)
        read_R = described_F if squeeze is None else squeeze @ described_F
        before_H = w["head.up.weight"] @ read_R + w["head.up.bias"]
        bent_R = (gelu_slope(before_H) * (query_D @ w["head.down.weight"])) @ w["head.up.weight"]
        slope_F = query_D @ w["head.linear.weight"]
        slope_F = slope_F + (bent_R if squeeze is None else bent_R @ squeeze)
        return np.split(slope_F, np.cumsum([len(part) for part in parts])[:-1])

    def _through_names(self, seen: Seen, slopes: list[Floats]) -> Floats:
        """How the similarity grows with each logit, (classes,): through the classes' names."""
        total = np.zeros_like(seen.logits, dtype=np.float32)
        for temperature, slope_E in zip(self.temperatures, slopes, strict=True):
            chances = softmax(seen.logits, temperature)
            by_class = self.weights["names"] @ slope_E
            total += chances * (by_class - chances @ by_class) / temperature
        return total


def open_head(version: Version) -> Head:
    """The head of a version. Raises WeightsError when the version has none that is known here."""
    spec: dict[str, Any] = version.part("embedding")
    if spec["name"] != HEAD:
        raise WeightsError(
            f"The embedding head of {version.name} ({spec['name']}) cannot say where on a photo "
            "a similarity comes from."
        )
    return Head(version.arrays(spec["file"]), spec["config"])


def gelu_slope(x: Floats) -> Floats:
    """The derivative of GELU, x times the normal distribution function."""
    below = np.array([0.5 * (1 + erf(value / sqrt(2))) for value in x], np.float32)
    return below + x * np.exp(-(x**2) / 2) / np.float32(sqrt(2 * np.pi))
