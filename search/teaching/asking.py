"""What to ask a person next: what is most uncertain, and some at random, which judge the line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]

UNSURE, LIKELY, MISSED = 2, 1, 1  # of each kind in a round
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
