"""Ridge regression from one backbone's features to another's.

The penalty is chosen on left-out photos. Linear suffices: the heads' first layers are linear
themselves, and a few hundred photos bear no more. For a head that is linear in a feature, mapping
the feature is the same regression as mapping straight to what the head says. Solved in the smaller
of its two forms (Hoerl and Kennard 1970; dual: Saunders et al. 1998).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
PENALTIES = tuple(10.0**power for power in np.arange(-4, 4.5, 0.5))


@dataclass(frozen=True, slots=True)
class LinearMap:
    """y = x @ matrix + bias, with what it explains of left-out photos' variance and the penalty."""

    matrix: Rows
    bias: Rows
    explained: float
    penalty: float

    def __call__(self, x: Rows) -> Rows:
        return x @ self.matrix + self.bias


class Ridge:
    """One decomposition of the inputs, for any number of targets and penalties.

    `x` (n, f) and `left_out` (m, f) are the same photos' features to fit on and to choose by.
    """

    def __init__(self, x: Rows, left_out: Rows) -> None:
        self.mean = x.mean(axis=0, dtype=np.float64)
        self.scale = x.std(axis=0, dtype=np.float64) + 1e-3
        self.left_out = self._standard(left_out)
        self.x = self._standard(x)
        self.dual = len(x) < x.shape[1]
        gram = self.x @ self.x.T if self.dual else self.x.T @ self.x
        values, self.vectors = np.linalg.eigh(gram)
        self.values = np.maximum(values, 0.0)

    def fit(self, y: Rows, left_out: Rows) -> LinearMap:
        """The map to `y` (n, out) that explains most of `left_out` (m, out)."""
        mean = y.mean(axis=0, dtype=np.float64)
        rotated = self.vectors.T @ ((y - mean) if self.dual else self.x.T @ (y - mean))
        probes = self.left_out @ self.x.T if self.dual else self.left_out
        probes = probes @ self.vectors
        scored = []
        for penalty in PENALTIES:
            guess = probes @ (rotated / self._damped(penalty)) + mean
            scored.append((explained(guess, left_out), penalty))
        best, penalty = max(scored)
        solution = self.vectors @ (rotated / self._damped(penalty))
        weights = self.x.T @ solution if self.dual else solution
        matrix = weights / self.scale[:, None]
        bias = mean - self.mean @ matrix
        return LinearMap(matrix.astype(np.float32), bias.astype(np.float32), best, penalty)

    def _damped(self, penalty: float) -> NDArray[np.float64]:
        return (self.values + penalty * len(self.x))[:, None]

    def _standard(self, x: Rows) -> NDArray[np.float64]:
        return (x - self.mean) / self.scale


def explained(guess: NDArray[np.floating], y: Rows) -> float:
    """The share of the variance of `y` (m, out) that the guess explains (R squared)."""
    residual = float(((guess - y) ** 2).sum())
    total = float(((y - y.mean(axis=0)) ** 2).sum())
    return 1.0 - residual / max(total, 1e-12)
