"""CIDEr-D of sentences of numbers, thousands a second: what self-critical training rewards.

The value is that of `vision.evaluation.caption_metrics.cider_d` (a test compares them), with each
photo's references prepared once and n-grams packed into one integer. END counts as a word: else
sentences that break off ("a man with a") earn as much as whole ones (Luo et al. 2018).
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vision.evaluation.caption_metrics import CIDER_SIGMA, MAX_N

BITS = 13  # of a word's number; four words fill 52
Gram = int


@dataclass(frozen=True, slots=True)
class _Photo:
    """A photo's references: where n-grams occur and with what weight."""

    weights: dict[Gram, list[tuple[int, float]]]  # (reference, tf-idf)
    norms: list[list[float]]  # of each reference, by n
    lengths: list[int]


class CiderReward:
    """Scores sentences against the references of the photo they are said of."""

    def __init__(self, references: Sequence[Sequence[Sequence[int]]]) -> None:
        """How rare an n-gram is, is taken from these references, photo by photo."""
        counted = [[_grams(reference) for reference in own] for own in references]
        seen = Counter(gram for own in counted for gram in {g for each in own for g in each})
        most = math.log(max(1, len(references)))
        self._rarity: defaultdict[Gram, float] = defaultdict(lambda: most)
        self._rarity.update({gram: most - math.log(count) for gram, count in seen.items()})
        self._references = references
        self._photos: dict[int, _Photo] = {}

    def __call__(self, photo: int, sentence: Sequence[int]) -> float:
        """CIDEr-D, 0 to 10, of `sentence` (numbers under 2 ** 13, END included)."""
        own = self._photos.get(photo) or self._prepare(photo)
        count = len(own.lengths)
        common = [[0.0] * MAX_N for _ in range(count)]
        squares = [0.0] * MAX_N
        for gram, times in _grams(sentence).items():
            weight, n = times * self._rarity[gram], _size(gram)
            squares[n] += weight * weight
            for reference, other in own.weights.get(gram, ()):
                common[reference][n] += min(weight, other) * other
        total = 0.0
        for reference in range(count):
            apart = len(sentence) - own.lengths[reference]
            damping = math.exp(-(apart**2) / (2 * CIDER_SIGMA**2))
            for n in range(MAX_N):
                norms = math.sqrt(squares[n]) * own.norms[reference][n]
                total += damping * common[reference][n] / norms if norms else 0.0
        return 10.0 * total / MAX_N / count

    def _prepare(self, photo: int) -> _Photo:
        references = self._references[photo]
        weights: dict[Gram, list[tuple[int, float]]] = {}
        squares = np.zeros((len(references), MAX_N))
        for row, reference in enumerate(references):
            for gram, times in _grams(reference).items():
                weight = times * self._rarity[gram]
                weights.setdefault(gram, []).append((row, weight))
                squares[row, _size(gram)] += weight * weight
        norms = np.sqrt(squares).tolist()
        self._photos[photo] = _Photo(weights, norms, [len(each) for each in references])
        return self._photos[photo]


def _grams(sentence: Sequence[int]) -> Counter[Gram]:
    """Every run of 1 to 4 words as one number: its length above, then its words."""
    grams: Counter[Gram] = Counter()
    for first in range(len(sentence)):
        packed = 0
        for n, word in enumerate(sentence[first : first + MAX_N]):
            packed = packed << BITS | word
            grams[packed | n << BITS * MAX_N] += 1
    return grams


def _size(gram: Gram) -> int:
    """The length of a run, less 1."""
    return gram >> BITS * MAX_N
