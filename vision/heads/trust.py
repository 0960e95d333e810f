"""How far to trust a caption: the share of its telling words that people would use as well.

A beam's log probabilities say how usual a sentence is; what its telling words (nouns, colours,
verbs; not "a", "in", "is") have of it, the least of them, and how sure the backbone is of the
photo's class say more together. `vision.training.captions.confidence` fits the weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.heads.beam import Found

# A caption without a telling word counts as one whose telling words were guessed.
GUESSED = -3.0


@dataclass(frozen=True, slots=True)
class Trust:
    """confidence = sigmoid(weights . clues); the words numbered `usual` tell nothing of a photo."""

    usual: list[int]
    weights: list[float]

    def confidences(self, found: Sequence[Found], logits: NDArray[np.floating]) -> list[float]:
        """One a caption; `logits` (photos, classes) are the backbone's."""
        chance = 1 / (1 + np.exp(-clues(found, logits, usual=self.usual) @ np.array(self.weights)))
        return [float(value) for value in chance]


def clues(
    found: Sequence[Found], logits: NDArray[np.floating], *, usual: Sequence[int]
) -> NDArray[np.float64]:
    """(captions, 5): mean log probability of all words, mean and least of the telling ones, log of
    the likeliest class's probability, and 1."""
    rows = [(*_of_words(words, gains, set(usual)), 1.0) for words, gains in found]
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    sure = -np.log(np.exp(shifted).sum(axis=1))
    return np.insert(np.array(rows, dtype=np.float64).reshape(len(found), 4), 3, sure, axis=1)


def _of_words(words: list[int], gains: list[float], usual: set[int]) -> tuple[float, float, float]:
    telling = [gain for word, gain in zip(words, gains, strict=False) if word not in usual] or [
        GUESSED
    ]
    return sum(gains) / max(1, len(gains)), sum(telling) / len(telling), min(telling)
