"""Choose how sure the tag head must be before it says a word.

Tags need no training, but thresholds: for each word the lowest one at which captions and labels of
training photos agree often enough. A word that is rarely right gets a threshold it hardly reaches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.evaluation.tag_truth import TagWord


@dataclass(frozen=True, slots=True)
class TagCalibration:
    """How right a word must be. Captions leave things out, so this is stricter than it looks."""

    right: float = 0.9  # share of photos so tagged whose captions or labels name the word
    fewest: int = 10  # photos that must carry the tag for a share to mean something
    unmeasured: float = 0.6  # threshold of words too rare in the training photos to judge
    lowest: float = 0.25
    narrow: float = 0.6  # at least this for a breed or model, whose name captions seldom give
    mute: float = 0.97  # threshold of words that are wrong too often


def thresholds(
    words: Sequence[TagWord],
    probabilities: NDArray[np.float32],
    shown: Mapping[str, NDArray[np.bool_]],
    config: TagCalibration,
) -> dict[str, float]:
    """The threshold of each word; probabilities (photos, words), `shown` as `truths` gives it.

    Captions say "dog", hardly ever "beagle": a word two levels below another is judged by whether
    there is a dog at all, and must be likely by itself.
    """
    broader_of = {each.word: each.broader for each in words}
    chosen = {}
    for each, probability in zip(words, probabilities.T, strict=True):
        narrow = bool(each.broader and broader_of[each.broader])
        judge = each.broader if narrow else each.word
        threshold = _threshold(probability, shown[judge], config)
        chosen[each.word] = max(threshold, config.narrow) if narrow else threshold
    return chosen


def _threshold(
    probability: NDArray[np.float32], shown: NDArray[np.bool_], config: TagCalibration
) -> float:
    order = np.argsort(-probability)
    likely = probability[order] >= config.lowest
    if likely.sum() < config.fewest:
        return config.unmeasured
    counts = np.arange(1, len(order) + 1)
    right = np.cumsum(shown[order]) / counts
    good = np.flatnonzero(likely & (counts >= config.fewest) & (right >= config.right))
    if not len(good):
        return config.mute
    return round(float(np.clip(probability[order[good[-1]]], config.lowest, config.mute)), 3)
