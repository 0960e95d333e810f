"""The monotone curve that fits best: pool adjacent violators (Ayer and others, 1955)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def isotonic(values: ArrayLike, weights: ArrayLike) -> NDArray[np.float64]:
    """The nondecreasing sequence nearest to `values` in weighted squares."""
    levels: list[list[float]] = []  # value, weight, count
    for value, weight in zip(np.asarray(values, float), np.asarray(weights, float), strict=True):
        levels.append([value, weight, 1])
        while len(levels) > 1 and levels[-2][0] >= levels[-1][0]:
            last = levels.pop()
            levels[-1] = _pooled(levels[-1], last)
    return np.repeat([level[0] for level in levels], [int(level[2]) for level in levels])


def _pooled(first: list[float], second: list[float]) -> list[float]:
    weight = first[1] + second[1]
    if weight == 0:
        return [(first[0] + second[0]) / 2, 0.0, first[2] + second[2]]
    value = (first[0] * first[1] + second[0] * second[1]) / weight
    return [value, weight, first[2] + second[2]]
