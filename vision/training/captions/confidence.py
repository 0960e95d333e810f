"""What a caption is worth: calibrated on photos that were set aside from training.

A caption is right in so far as people used its telling words of the same photo. A logistic
regression from `vision.heads.trust.clues` gives that share (Platt 1999).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vision.heads.beam import Found
from vision.heads.trust import clues
from vision.words import words_of

NEWTON_STEPS = 25
RIDGE = 1.0


def calibrate(
    found: Sequence[Found],
    logits: NDArray[np.floating],
    references: Sequence[Sequence[str]],
    vocabulary: Sequence[str],
    *,
    usual: Sequence[int],
) -> list[float]:
    """The weights of `vision.heads.trust.Trust`; `vocabulary` in lower case."""
    right, told = count_right(found, references, vocabulary, usual=usual)
    weights = fit_logistic(clues(found, logits, usual=usual), right, told)
    return [round(float(weight), 4) for weight in weights]


def count_right(
    found: Sequence[Found],
    references: Sequence[Sequence[str]],
    vocabulary: Sequence[str],
    *,
    usual: Sequence[int],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each caption: its telling words that people used as well, and all of them."""
    right, told = [], []
    for (words, _), human in zip(found, references, strict=True):
        telling = {vocabulary[word] for word in set(words) - set(usual)}
        known = {word for text in human for word in words_of(text)}
        right.append(len(telling & known))
        told.append(len(telling))
    return np.array(right, dtype=np.int64), np.array(told, dtype=np.int64)


def fit_logistic(
    clues_BC: NDArray[np.float64], right_B: NDArray[np.int64], told_B: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Weights (C,) that make `right` of `told` successes at sigmoid(clues @ weights) likeliest.

    A slight pull to 0 keeps clues that say the same apart.
    """
    weights = np.zeros(clues_BC.shape[1])
    pull = RIDGE * np.eye(len(weights))
    pull[-1, -1] = 1e-6
    for _ in range(NEWTON_STEPS):
        chance_B = 1 / (1 + np.exp(-clues_BC @ weights))
        gradient = clues_BC.T @ (right_B - told_B * chance_B) - pull @ weights
        curvature = (clues_BC.T * (told_B * chance_B * (1 - chance_B))) @ clues_BC
        weights += np.linalg.solve(curvature + pull, gradient)
    return weights
