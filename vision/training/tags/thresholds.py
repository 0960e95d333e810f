"""Choose how sure the tag head must be before it says a word: sure to be right nine times in ten.

The share of photos that name a word, among those at least so probable, must be high enough even at
the lower end of what chance allows, and nearly so in each collection by itself; a word whose photos
are too few is judged together with the other rare words of its group, or it is never said. People
leave things out, so the true share is higher than that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEVER = 2.0  # a threshold that no probability reaches


@dataclass(frozen=True, slots=True)
class TagCalibration:
    """How right a word must be.

    `right` is the share of photos said so that must show it, `sigmas` how far below the measured
    share the lower bound lies. `fewest` photos must reach a threshold for it to be judged alone.
    """

    right: float = 0.9
    right_anywhere: float = 0.88  # of the photos of any one collection
    sigmas: float = 1.0
    fewest: int = 8
    lowest: float = 0.8  # "a person, 0.5" is right often enough in the mean, and yet looks wrong
    rare_lowest: float = 0.85
    rare_fewest: int = 20


@dataclass(frozen=True, slots=True)
class Judged:
    """One word on the photos that say anything of it: how probable it is, how far it is right (more
    than 1 where a mention stands for unwritten ones), and the number of the photo's collection."""

    probable: NDArray[np.float32]
    right: NDArray[np.float32]
    source: NDArray[np.int64]


def thresholds(
    words: Sequence[Judged], groups: Sequence[str], config: TagCalibration
) -> NDArray[np.float32]:
    """The lowest probability at which each word is said; NEVER for those not sure enough."""
    chosen = np.full(len(words), np.nan, np.float32)
    for number, word in enumerate(words):
        if (word.probable >= config.lowest).sum() >= config.fewest:
            chosen[number] = lowest_sure(word, config, lowest=config.lowest, fewest=config.fewest)
    for group in set(groups):
        rare = [n for n, own in enumerate(groups) if own == group and np.isnan(chosen[n])]
        if rare:
            chosen[rare] = _together([words[n] for n in rare], config)
    return chosen


def lowest_sure(word: Judged, config: TagCalibration, *, lowest: float, fewest: int) -> float:
    """The lowest threshold, at least `lowest`, that `fewest` photos reach and that is sure."""
    order = np.argsort(-word.probable, kind="stable")
    probable, right = word.probable[order], word.right[order]
    counts = np.arange(1, len(order) + 1)
    sure = lower_bound(np.cumsum(right), counts, config.sigmas) >= config.right
    sure &= _sure_anywhere(right, word.source[order], config)
    good = np.flatnonzero(sure & (counts >= fewest) & (probable >= lowest))
    return float(probable[good[-1]]) if len(good) else NEVER


def lower_bound(
    right: NDArray[np.floating], counts: NDArray[np.integer], sigmas: float
) -> NDArray[np.float64]:
    """The lower end of a share of which `right` in `counts` were seen (Wilson 1927)."""
    share = np.minimum(right / counts, 1.0)
    square = sigmas**2
    middle = share + square / (2 * counts)
    reach = sigmas * np.sqrt(share * (1 - share) / counts + square / (4 * counts**2))
    bound: NDArray[np.float64] = (middle - reach) / (1 + square / counts)
    return bound


def _sure_anywhere(
    right: NDArray[np.float32], source: NDArray[np.int64], config: TagCalibration
) -> NDArray[np.bool_]:
    """Down to which photo each collection with enough of them has enough that are right."""
    sure = np.ones(len(right), dtype=bool)
    for one in np.unique(source):
        own = source == one
        counts, share = np.cumsum(own), np.cumsum(right * own)
        sure &= (counts < config.fewest) | (share >= config.right_anywhere * counts)
    return sure


def _together(words: Sequence[Judged], config: TagCalibration) -> float:
    pooled = Judged(
        np.concatenate([word.probable for word in words]),
        np.concatenate([word.right for word in words]),
        np.concatenate([word.source for word in words]),
    )
    return lowest_sure(pooled, config, lowest=config.rare_lowest, fewest=config.rare_fewest)
