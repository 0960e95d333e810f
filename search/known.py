"""Words whose look was learned: for each, how probable it is that a photo shows it.

The likeness of an embedding to a word's text ranks photos, but does not say from which value on
the word is true. Of words that many training photos show, a straight line through the embedding
space says both better: mean average precision of words that people use rises from 0.37 to 0.44 on
Flickr8k's development photos. See `webapp.find.fitting` for how lines are fitted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.index.protocol import Vectors
from search.words import Word

LONGEST = 4  # words of a name such as "group of people"
# What `KnownWords.usual` has of a word whose line was never held against photos: medians over the
# words of lite2-2026.11c.
USUAL = (0.0, 0.0)
CERTAIN = 8.0  # log-odds beyond which a line is not believed any further

LogOdds = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Asked:
    """A query's words: the lines (k, dim), biases (k,) and usual log-odds (k, 2) of those that are
    known, the stems of all others. `count` is how many things are asked for: known ones and other
    words."""

    lines: Vectors
    biases: Vectors
    usual: Vectors
    others: frozenset[str]

    @property
    def count(self) -> int:
        return len(self.biases) + len(self.others)

    def log_odds(self, photos: Vectors) -> LogOdds:
        """That each of `photos` (n, dim) shows each known word, (n, k)."""
        return np.clip(photos @ self.lines.T + self.biases, -CERTAIN, CERTAIN)


@dataclass(frozen=True, slots=True)
class KnownWords:
    """The words of one model version.

    `forms` has the row of each name, synonym or plural by its stems, with a space between two;
    `lines` (rows, dim) and `biases` (rows,) give log-odds for embeddings. `usual` (rows, 2) is what
    a line says of photos that it was not fitted to: what one in a thousand of those without the
    word exceeds, and the median of those with it. Some lines tell well and others badly.
    """

    forms: Mapping[str, int]
    lines: Vectors
    biases: Vectors
    usual: Vectors

    def asked(self, words: Sequence[Word]) -> Asked:
        """Which of a query's content words are known; of names, the longest counts."""
        rows: dict[int, None] = {}
        others = []
        at = 0
        while at < len(words):
            length, row = self._longest([word.stem for word in words[at : at + LONGEST]])
            if row is None:
                others.append(words[at].stem)
            else:
                rows[row] = None
            at += length
        kept = list(rows)
        usual = self.usual[kept]
        return Asked(self.lines[kept], self.biases[kept], usual, frozenset(others))

    def _longest(self, stems: Sequence[str]) -> tuple[int, int | None]:
        for length in range(len(stems), 0, -1):
            row = self.forms.get(" ".join(stems[:length]))
            if row is not None:
                return length, row
        return 1, None


def none_known(words: Sequence[Word], dim: int = 0) -> Asked:
    """A query of which no word's look was learned."""
    return nothing_known(dim).asked(words)


def nothing_known(dim: int) -> KnownWords:
    """Of a version of which no lines were fitted."""
    return KnownWords({}, np.zeros((0, dim), np.float32), np.zeros(0, np.float32), usually(0))


def usually(rows: int) -> Vectors:
    """`USUAL` for so many words."""
    return np.tile(np.array(USUAL, np.float32), (rows, 1))
