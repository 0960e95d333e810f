"""Whether a difference is more than luck: the paired bootstrap."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLINGS = 2_000
CONFIDENCE = 0.95
FEWEST = 10  # photos or queries; of fewer nothing is concluded


@dataclass(frozen=True)
class Interval:
    """A mean and where it lies with a confidence of 95 %."""

    mean: float
    low: float
    high: float


def interval(values: ArrayLike, *, seed: int = 0) -> Interval:
    """The mean of `values` (n,), n > 0, with its percentile interval. Source: Efron 1979."""
    given: NDArray[np.float64] = np.asarray(values, np.float64)
    chosen = np.random.default_rng(seed).integers(0, len(given), (RESAMPLINGS, len(given)))
    means = given[chosen].mean(axis=1)
    outside = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(means, (outside, 100.0 - outside))
    return Interval(float(given.mean()), float(low), float(high))
