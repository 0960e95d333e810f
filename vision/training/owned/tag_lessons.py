"""What people said about tags, as targets that a tag head can learn from.

A word that was added or rejected is known. Of the others on a photo that somebody corrected little
is known: who adds one word does not name all that is there. How much silence means is measured, on
each photo and over all: of the words that were to be expected there, which share was added? (See
`vision.training.tags.fusion.presence`.) Photos that nobody corrected have the head's own answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.heads.saying import chain, lift_broader
from vision.heads.word_model import sigmoid
from vision.heads.word_tags import WordTable

MOST_COMPLETE = 0.95  # nobody names everything
HOLD_COMPLETE = 1.0  # expected words for which the share over all photos counts on each


@dataclass(frozen=True, slots=True)
class Spoken:
    """What people said of one photo: words that it shows, or does not."""

    photo: str
    words: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Targets:
    """Of P photos and W words: how likely each is by all that is known, what that counts, and
    which pairs somebody spoke of."""

    likely: NDArray[np.float32]
    weight: NDArray[np.float32]
    stated: NDArray[np.bool_]
    completeness: float


def stated_words(spoken: Sequence[Spoken], table: WordTable) -> NDArray[np.int8]:
    """(photos, words): 1 for shown, -1 for not shown, 0 for not spoken of.

    Who says "dog" says "animal"; who says "no animal" says "no dog".
    """
    place = {word: number for number, word in enumerate(table.words[: table.modelled])}
    narrower = _narrower(table)
    said = np.zeros((len(spoken), table.modelled), np.int8)
    for row, each in zip(said, spoken, strict=True):
        known = {place[word]: shows for word, shows in each.words.items() if word in place}
        for number, shows in known.items():
            row[chain(number, table.broader) if shows else narrower[number]] = 1 if shows else -1
        for number, shows in known.items():
            row[number] = 1 if shows else -1
    return said


def make_targets(
    stated_PW: NDArray[np.int8],
    log_odds_PW: NDArray[np.float32],
    table: WordTable,
    *,
    unspoken: float,
    added: float = 1.0,
) -> Targets:
    """Targets of photos that somebody corrected; what was not spoken of counts `unspoken`, a word
    of the head that was added `added`."""
    likely = sigmoid(log_odds_PW)
    said = (
        lift_broader(likely, table.broader[: table.modelled]) >= table.thresholds[: table.modelled]
    )
    silent = stated_PW == 0
    complete = completeness(stated_PW, likely, said)[:, None]
    absent = likely * (1 - complete) / np.maximum(1 - likely * complete, 1e-6)
    standing = likely / np.maximum(likely + (1 - likely) * (1 - complete), 1e-6)
    target = np.where(silent, np.where(said, standing, absent), stated_PW > 0)
    is_added = (stated_PW > 0) & ~said & (table.thresholds[: table.modelled] < 1)
    weight = np.where(silent, unspoken, np.where(is_added, added, 1.0))
    return Targets(
        target.astype(np.float32), weight.astype(np.float32), ~silent, float(complete.mean())
    )


def completeness(
    stated_PW: NDArray[np.int8], likely_PW: NDArray[np.float32], said_PW: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Of the words that were to be expected and that the head did not say: the share that was
    added on each photo (P,), held to that over all photos."""
    added = ((stated_PW > 0) & ~said_PW).sum(axis=1).astype(np.float32)
    expected = np.where(said_PW, 0, likely_PW).sum(axis=1)
    usual = added.sum() / max(float(expected.sum()), 1e-6)
    share = (added + HOLD_COMPLETE * usual) / (expected + HOLD_COMPLETE)
    return np.clip(share, 0, MOST_COMPLETE).astype(np.float32)


def _narrower(table: WordTable) -> list[list[int]]:
    narrower: list[list[int]] = [[] for _ in range(table.modelled)]
    for number in range(table.modelled):
        for above in chain(number, table.broader):
            narrower[above].append(number)
    return narrower
