"""Words that people looked for: what they saw outranks captions and says where they are right."""

from dataclasses import replace

import numpy as np
import pytest

from tests.vision.training.tags.test_head import some_photos
from vision.training.tags.head import TagTraining, train_tags
from vision.training.tags.looked import (
    NOWHERE,
    EyeCalibration,
    looked_at,
    looks,
    surely_right_from,
)
from vision.training.tags.probes import ProbeTraining
from vision.training.tags.thresholds import NEVER, TagCalibration
from vision.vocabulary import vocabulary


def least(shows: list[bool]) -> float:
    """From which log-odds on a word is right, whose photos have 0, -1, -2, ... in this order."""
    log_odds = -np.arange(len(shows), dtype=np.float32)
    return surely_right_from(log_odds, np.array(shows), TagCalibration(), EyeCalibration())


def test_the_table_names_words_that_there_are() -> None:
    assert looked_at()
    assert {word for own in looked_at().values() for word in own} <= vocabulary().keys()


def test_who_did_not_look_says_nothing() -> None:
    looked = {("trip", "a.jpg"): {"beach": True, "night": False}}
    found = looks(looked, "trip", ["b.jpg", "a.jpg"], ["night", "dog", "beach"])
    assert found.tolist() == [[0, 0, 0], [-1, 0, 1]]
    assert not looks(looked, "walk", ["a.jpg"], ["night", "beach"]).any()


@pytest.mark.parametrize(
    ("shows", "wanted"),
    [
        ([True] * 8, NOWHERE),  # too few to be sure of
        ([True] * 12, -11.0),
        ([True] * 12 + [False] * 12, -11.0),
        ([True] * 9 + [False] + [True] * 9 + [False] + [True], -20.0),  # 19 of 21
        ([False, True] * 20, NOWHERE),
    ],
)
def test_a_word_is_right_down_to_where_nine_in_ten_were(shows: list[bool], wanted: float) -> None:
    assert least(shows) == wanted


def test_a_word_that_captions_leave_out_is_said_where_people_saw_it() -> None:
    photos, words = some_photos(1500)
    beach = [word.name for word in words].index("beach")
    there = photos.inputs[0][:, 1] > 2
    silent = there & (np.random.default_rng(1).uniform(size=len(there)) > 0.2)
    shown = photos.shown.copy()
    shown[:, beach] = there & ~silent
    told = np.where(there, 1, -1).astype(np.int8) * (np.arange(len(there)) % 4 == 0)
    seen = np.zeros(shown.shape, np.int8)
    seen[:, beach] = told
    config = TagTraining(probe=ProbeTraining(epochs=6, batch=100, folds=2, peak_rate=0.02))

    def trained(own_looks: np.ndarray) -> tuple[np.ndarray, float]:
        own = replace(photos, shown=shown, right=shown, looks=own_looks)
        nothing = np.zeros((4, 8), np.float32)
        head = train_tags([own], words, nothing, np.full(4, np.nan, np.float32), config)
        return head.unseen[0][:, beach], float(head.thresholds[beach])

    assert trained(np.zeros_like(seen))[1] == NEVER
    probable, threshold = trained(seen)
    assert threshold == pytest.approx(0.8)
    assert there[probable >= threshold].mean() > 0.85
    assert (probable >= threshold).sum() > 0.5 * there.sum()
