"""Thresholds after corrections: what was rejected rises, and the others make up for it."""

import numpy as np
from numpy.typing import NDArray

from vision.heads.word_model import sigmoid
from vision.training.owned.tag_lessons import Targets
from vision.training.owned.tag_thresholds import Choice, choose_thresholds

WORDS, PHOTOS = 4, 400
FIRST = np.array([0.8, 0.8, 0.8, 2.0], np.float32)  # the last is never said
NOTHING_ABOVE = (-1,) * WORDS


def log_odds(seed: int) -> NDArray[np.float32]:
    spread = np.random.default_rng(seed).normal(scale=2, size=(PHOTOS, WORDS))
    return spread.astype(np.float32)


def corrected(of: NDArray[np.float32], rejected: tuple[int, ...] = ()) -> Targets:
    """Everything that is said is right, but of some words all is rejected."""
    right = np.ones(of.shape, np.float32)
    right[:, list(rejected)] = 0
    return Targets(right, np.ones(of.shape, np.float32), np.ones(of.shape, bool), 0.5)


def chosen(rejected: tuple[int, ...], choice: Choice | None = None) -> NDArray[np.float32]:
    unseen = log_odds(1)[:60]
    return choose_thresholds(
        unseen, corrected(unseen, rejected), log_odds(2), FIRST, NOTHING_ABOVE, choice or Choice()
    )


def test_a_word_that_was_rejected_rises_and_others_come_down_for_it() -> None:
    thresholds = chosen((1,), Choice(right=0.5))
    assert thresholds[1] > FIRST[1] + 0.05
    assert thresholds[0] < FIRST[0]
    assert thresholds[2] < FIRST[2]
    assert thresholds[3] == FIRST[3]


def test_where_most_is_wrong_nothing_comes_down() -> None:
    assert (chosen((0, 1, 2)) > FIRST - 1e-4).all()


def test_without_anything_said_on_corrected_photos_nothing_moves() -> None:
    low = np.full((20, WORDS), -5, np.float32)
    same = choose_thresholds(low, corrected(low), log_odds(2), FIRST, NOTHING_ABOVE, Choice())
    assert np.array_equal(same, FIRST)


def test_photos_that_nobody_corrected_keep_about_as_many_tags() -> None:
    before = (sigmoid(log_odds(2)) >= FIRST).sum()
    after = (sigmoid(log_odds(2)) >= chosen((), Choice(right=0.5))).sum()
    assert abs(int(after) - int(before)) <= 0.05 * before
