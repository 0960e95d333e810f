"""What to ask a person next: what is most uncertain, and some at random, which judge the line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]

UNSURE, LIKELY, MISSED = 2, 1, 1  # of each kind in a round
# Of a tag on four photos in ten, 20 answers found 8 % without this and 39 % with it; of rare tags
# as many as before (caltech101, its animals together, and each of 12 classes alone).
MOSTLY = 0.6
LEAST_BAND = 50  # photos below the line among which missed ones are looked for


class How(StrEnum):
    """How a photo came to be answered."""

    EXAMPLE = "example"  # a person brought it
    UNSURE = "unsure"  # nearest to the line
    LIKELY = "likely"  # at random among what the line would tag
    MISSED = "missed"  # at random among the next below
    SKIPPED = "skipped"  # they could not tell


@dataclass(frozen=True)
class Question:
    """A photo to ask about. `chance` is the probability with which it was drawn."""

    photo_id: int
    how: How
    chance: float


@dataclass(frozen=True)
class Ranked:
    """Unanswered photos, likeliest first, with their log-odds."""

    ids: Ids
    log_odds: NDArray[np.float32]

    @property
    def tagged(self) -> int:
        """How many the line would tag."""
        return int((self.log_odds >= 0).sum())

    @property
    def band(self) -> slice:
        """Below the line, where those that it misses are most likely."""
        return slice(self.tagged, self.tagged + max(LEAST_BAND, self.tagged))


def reach(held_out: NDArray[np.float64], shows: NDArray[np.bool_], how: NDArray[np.str_]) -> float:
    """The log-odds, at most 0, down to which photos drawn at random mostly show the tag.

    Where a tag is frequent, many of the presumed negatives show it and the line lies too high; what
    is drawn below it then says so.
    """
    drawn = np.flatnonzero((how == How.MISSED) & (held_out < 0))
    drawn = drawn[np.argsort(-held_out[drawn])]
    right = (np.cumsum(shows[drawn]) + 0.5) / (np.arange(len(drawn)) + 2)  # with a little doubt
    far = np.flatnonzero((right >= MOSTLY) & shows[drawn])
    return float(held_out[drawn[far[-1]]]) if far.size else 0.0


def next_questions(ranked: Ranked, chance: np.random.Generator) -> list[Question]:
    """A round of questions, the most uncertain first."""
    nearest = np.argsort(np.abs(ranked.log_odds), kind="stable")[:UNSURE]
    asked = [Question(int(photo_id), How.UNSURE, 1.0) for photo_id in ranked.ids[nearest]]
    taken = {question.photo_id for question in asked}
    for how, group, count in (
        (How.LIKELY, ranked.ids[: ranked.tagged], LIKELY),
        (How.MISSED, ranked.ids[ranked.band], MISSED),
    ):
        left = [int(photo_id) for photo_id in group if int(photo_id) not in taken]
        drawn = chance.permutation(left)[:count].tolist()
        asked += [Question(int(photo_id), how, len(drawn) / len(left)) for photo_id in drawn]
    return asked
