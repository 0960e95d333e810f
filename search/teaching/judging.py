"""How good a taught tag is on photos that nobody answered, as far as the answers tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.teaching.asking import How, Ranked

# What is believed before the first answer, as if by so many answers: most of what a line tags is
# right, little of what it does not tag is missed.
BELIEVED_RIGHT, BELIEVED_MISSED = 0.85, 0.03
BELIEF = 1.0
SURE_ANSWERS = 8  # random ones, from which on a figure is no rough guess any more


@dataclass(frozen=True)
class Quality:
    """Fractions: of what is tagged, what is right; of what should be, what is tagged."""

    precision: float
    recall: float
    tagged: int  # photos that it would tag now
    answers: int  # that were drawn at random, on which the figures rest

    @property
    def is_rough(self) -> bool:
        return self.answers < SURE_ANSWERS


@dataclass(frozen=True)
class Answers:
    """Answers (n,): what was said, how each was chosen, and log-odds by a line without it."""

    shows: NDArray[np.bool_]
    how: NDArray[np.str_]
    chance: NDArray[np.float64]
    held_out: NDArray[np.float64]


def judge(answers: Answers, ranked: Ranked) -> Quality:
    """Each answer counts for as many photos as it stood for when it was drawn.

    Uncertain photos were picked because they are hard, examples because they are plain; so rates
    are those of photos drawn at random, weighted by one over their chance (Horvitz and Thompson
    1952), each on the side of the line where a line that never saw it puts it. How many photos are
    out of reach even of the band below the line is taken from the person's own examples.
    """
    drawn = np.isin(answers.how, (How.LIKELY, How.MISSED))
    above, floor = answers.held_out >= 0, _floor(ranked)
    in_band = ~above & (answers.held_out >= floor)
    right = _rate(answers, drawn & above, BELIEVED_RIGHT)
    missed = _rate(answers, drawn & in_band, BELIEVED_MISSED)
    hits = right * ranked.tagged
    misses = missed * len(ranked.ids[ranked.band])
    examples = answers.shows & (answers.how == How.EXAMPLE)
    beyond = float((examples & (answers.held_out < floor)).sum()) / (examples.sum() + 1)
    by_answers = (hits / (hits + misses) if hits + misses else 0.0) * (1 - beyond)
    # Of a frequent tag most is farther below the line than anybody was asked about.
    by_examples = float((examples & above).sum() + BELIEF) / (examples.sum() + BELIEF)
    return Quality(
        precision=right,
        recall=min(by_answers, by_examples),
        tagged=ranked.tagged,
        answers=int(drawn.sum()),
    )


def _floor(ranked: Ranked) -> float:
    """The log-odds at which the band below the line ends."""
    band = ranked.log_odds[ranked.band]
    return float(band[-1]) if band.size else 0.0


def _rate(answers: Answers, which: NDArray[np.bool_], believed: float) -> float:
    """How many of these show the tag, with a little belief where there are few."""
    counts = 1 / answers.chance[which]
    if not counts.size:
        return believed
    rate = float((counts * answers.shows[which]).sum() / counts.sum())
    effective = float(counts.sum() ** 2 / (counts**2).sum())  # Kish: unequal weights tell less
    return (rate * effective + BELIEF * believed) / (effective + BELIEF)


def in_words(quality: Quality) -> str:
    """As people say it: "finds about 9 of 10, about 1 in 12 is wrong"."""
    if not quality.answers:
        return "is too early to judge"
    return f"{_finds(quality.recall)}, {_errs(1 - quality.precision)}"


def _finds(recall: float) -> str:
    found = round(10 * recall)
    return "finds nearly all" if found >= 10 else f"finds about {max(1, found)} of 10"


def _errs(wrong: float) -> str:
    if wrong < 1 / 40:
        return "hardly any is wrong"
    if wrong < 0.4:
        return f"about 1 in {round(1 / wrong)} is wrong"
    return "about half of it is wrong" if wrong < 0.6 else "most of it is wrong"
