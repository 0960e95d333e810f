"""Fits: lines for words (`search.known`) and the weights of the cut-off (`search.cutoff`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search.index.protocol import Vectors

Matrix = NDArray[np.float64]
LINES_AT_ONCE = 64  # of which log-odds for all photos are in memory
STEPS = 30


def fit_lines(
    photos: Vectors, shown: NDArray[np.bool_], weights: NDArray[np.floating], *, ridge: float
) -> tuple[Vectors, Vectors]:
    """For each of W words a line (W, dim) and bias (W,) that give log-odds of `shown` (n, W) for
    `photos` (n, dim), each of which counts as `weights` (n,) say.

    Ridge regression finds the direction of all words in one solution, a logistic curve with two
    parameters for each word then makes it log-odds (Platt 1999).
    """
    with_one = np.concatenate([photos, np.ones_like(photos[:, :1])], axis=1)
    weighted = (with_one * weights[:, None]).T.astype(np.float32)
    gram = (weighted @ with_one).astype(np.float64) + ridge * np.eye(with_one.shape[1])
    solved = np.linalg.solve(gram, weighted @ shown.astype(np.float32)).T.astype(np.float32)
    slopes, shifts = np.empty(len(solved)), np.empty(len(solved))
    for first in range(0, len(solved), LINES_AT_ONCE):
        chunk = slice(first, first + LINES_AT_ONCE)
        scores = with_one @ solved[chunk].T
        slopes[chunk], shifts[chunk] = platt(scores, shown[:, chunk], weights)
    lines = solved[:, :-1] * slopes[:, None]
    return np.ascontiguousarray(lines, np.float32), (solved[:, -1] * slopes + shifts).astype(
        np.float32
    )


def platt(
    scores: NDArray[np.float32], shown: NDArray[np.bool_], weights: NDArray[np.floating]
) -> tuple[Matrix, Matrix]:
    """Slopes (W,) and shifts (W,) by which `scores` (n, W) become log-odds of `shown` (n, W).

    Slopes of scores in standard units are drawn towards 1.5 as if by a little evidence.
    """
    mean, deviation = scores.mean(axis=0), scores.std(axis=0) + 1e-6
    z = (scores - mean) / deviation
    w = weights.astype(np.float32)[:, None]
    rate = np.clip((w * shown).sum(axis=0) / w.sum(), 1e-6, 1 - 1e-6)
    slope, shift = np.ones(z.shape[1]), np.log(rate / (1 - rate)) - 1
    for _ in range(STEPS):
        p = 1 / (
            1 + np.exp(-np.clip(slope.astype(np.float32) * z + shift.astype(np.float32), -30, 30))
        )
        error, curve = w * (p - shown), w * p * (1 - p)
        by_slope = (error * z).sum(axis=0) + 0.5 * (slope - 1.5)
        by_shift = error.sum(axis=0)
        both, twice = (curve * z).sum(axis=0), (curve * z * z).sum(axis=0) + 0.5
        once = curve.sum(axis=0) + 1e-6
        determinant = np.maximum(twice * once - both**2, 1e-9)
        slope = slope - np.clip((once * by_slope - both * by_shift) / determinant, -1, 1)
        shift = shift - np.clip((twice * by_shift - both * by_slope) / determinant, -1, 1)
    return slope / deviation, shift - slope * mean / deviation


def logistic(
    features: Matrix,
    right: NDArray[np.floating],
    counts: NDArray[np.floating] | None = None,
    *,
    ridge: float = 1.0,
) -> NDArray[np.float64]:
    """The weights (f,) whose weighted sum of `features` (n, f) is the log-odds of `right` (n,),
    each row counted as `counts` (n,) say."""
    found = np.zeros(features.shape[1])
    counts = np.ones(len(features)) if counts is None else counts
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(features @ found, -30, 30)))
        gradient = features.T @ (counts * (p - right)) + ridge * found
        curve = (features * (counts * p * (1 - p))[:, None]).T @ features
        curve += ridge * np.eye(len(found))
        step = np.linalg.solve(curve, gradient)
        found -= step
        if np.abs(step).max() < 1e-6:
            break
    return found
