"""Tags from ImageNet's 1,000 classes, folded into words that people use.

Raw labels ("Blenheim spaniel") lose: nobody types them, and single classes are often wrong where
their sum ("dog") is right. So each class adds its probability to a word and to every broader one,
and a word is said only above its threshold: no tag is better than a wrong one.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.backbones.base import Features
from vision.errors import WeightsError
from vision.heads import TAGGERS
from vision.probabilities import softmax
from vision.versions import Version

CLASSES = 1000


@dataclass(frozen=True, slots=True)
class Fold:
    """Words, and which classes each of them sums: matrix is (words, 1000), 0 or 1."""

    words: list[str]
    matrix: NDArray[np.float32]

    def probabilities(self, logits_BC: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability of each word, (B, words)."""
        return softmax(logits_BC) @ self.matrix.T


def read_fold(lines: Iterable[str]) -> Fold:
    """Read a table of `word, broader, classes`: class indices and ranges ("151-268 273").

    A word comes after its broader word. Raises WeightsError on an unknown broader word or class.
    """
    classes_of: dict[str, set[int]] = {}
    broader_of: dict[str, str] = {}
    for row in csv.DictReader(lines):
        word, broader = row["word"], row["broader"]
        if broader and broader not in classes_of:
            raise WeightsError(
                f"The tag {word!r} is under {broader!r}, which comes later or never."
            )
        classes_of[word], broader_of[word] = set(), broader
        for above in _chain(word, broader_of):
            classes_of[above] |= _classes(row["classes"])
    matrix = np.zeros((len(classes_of), CLASSES), dtype=np.float32)
    for number, classes in enumerate(classes_of.values()):
        matrix[number, sorted(classes)] = 1.0
    return Fold(list(classes_of), matrix)


@TAGGERS.register("imagenet-fold")
class FoldTagger:
    """The tag head of a version."""

    def __init__(self, version: Version, spec: dict[str, Any], device: str) -> None:
        self.fold = read_fold(version.text(spec["words"]).splitlines())
        self.most = int(spec["most"])
        self.thresholds = np.array([spec["thresholds"][word] for word in self.fold.words])

    def __call__(self, features: Features) -> list[list[tuple[str, float]]]:
        """(word, probability) pairs of each photo, most probable first."""
        return [self._said(row) for row in self.fold.probabilities(features.logits)]

    def _said(self, probabilities_W: NDArray[np.float32]) -> list[tuple[str, float]]:
        said = np.flatnonzero(probabilities_W >= self.thresholds)
        best = said[np.argsort(-probabilities_W[said], kind="stable")][: self.most]
        return [(self.fold.words[word], float(min(probabilities_W[word], 1.0))) for word in best]


def _chain(word: str, broader_of: dict[str, str]) -> Iterable[str]:
    while word:
        yield word
        word = broader_of[word]


def _classes(ranges: str) -> set[int]:
    classes: set[int] = set()
    for part in ranges.split():
        first, _, last = part.partition("-")
        classes.update(range(int(first), int(last or first) + 1))
    if classes and max(classes) >= CLASSES:
        raise WeightsError(f"There is no ImageNet class {max(classes)}; the last is {CLASSES - 1}.")
    return classes
