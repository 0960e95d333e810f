"""What a caption's probability is worth: calibrated on development photos.

A beam's mean log probability says how usual a sentence is, not how right. Two numbers turn it into
the share of its telling words that people used of the same photo (Platt 1999).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vision.words import words_of

# The most frequent words of captions ("a", "in", "is", "the", "on", ...) tell nothing of a photo.
TELLING_FROM = 30
NEWTON_STEPS = 25


def calibrate(
    captions: Sequence[tuple[Sequence[str], float]],
    references: Sequence[Sequence[str]],
    vocabulary: Sequence[str],
) -> dict[str, float]:
    """Slope and offset of confidence = sigmoid(slope * mean log probability + offset)."""
    usual = set(vocabulary[:TELLING_FROM])
    scores, right, told = [], [], []
    for (words, score), human in zip(captions, references, strict=True):
        telling = set(words) - usual
        known = {word for text in human for word in words_of(text)}
        scores.append(score)
        right.append(len(telling & known))
        told.append(len(telling))
    slope, offset = fit_logistic(np.array(scores), np.array(right), np.array(told))
    return {"slope": round(slope, 4), "offset": round(offset, 4)}


def fit_logistic(
    x: NDArray[np.float64], right: NDArray[np.int64], told: NDArray[np.int64]
) -> tuple[float, float]:
    """Maximum likelihood of `right` of `told` successes at sigmoid(slope * x + offset)."""
    inputs = np.stack([x, np.ones_like(x)], axis=1)
    weights = np.zeros(2)
    for _ in range(NEWTON_STEPS):
        chance = 1 / (1 + np.exp(-inputs @ weights))
        gradient = inputs.T @ (right - told * chance)
        curvature = (inputs.T * (told * chance * (1 - chance))) @ inputs
        weights += np.linalg.solve(curvature + 1e-6 * np.eye(2), gradient)
    return float(weights[0]), float(weights[1])
