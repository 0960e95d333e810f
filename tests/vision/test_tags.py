"""Folding ImageNet's classes into words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.errors import WeightsError
from vision.evaluation.tag_truth import WORDS, TagWord, truths
from vision.heads.tags import read_fold, softmax
from vision.training.tags import TagCalibration, thresholds

TABLE = ["word,broader,classes", "animal,,", "dog,animal,151-153", "pug,dog,254", "cat,animal,281"]


def _logits(**strength: float) -> np.ndarray:
    logits = np.zeros((1, 1000), dtype=np.float32)
    for name, value in strength.items():
        logits[0, int(name.removeprefix("class_"))] = value
    return logits


def test_a_class_counts_for_its_word_and_every_broader_one() -> None:
    fold = read_fold(TABLE)
    (probabilities,) = fold.probabilities(_logits(class_254=30.0))
    assert dict(zip(fold.words, probabilities, strict=True)) == pytest.approx(
        {"animal": 1.0, "dog": 1.0, "pug": 1.0, "cat": 0.0}, abs=1e-6
    )


def test_doubt_between_breeds_is_no_doubt_about_the_dog() -> None:
    fold = read_fold(TABLE)
    (probabilities,) = fold.probabilities(_logits(class_151=20, class_152=20, class_254=20))
    said = dict(zip(fold.words, probabilities, strict=True))
    assert said["dog"] == pytest.approx(1.0, abs=1e-4)
    assert said["pug"] == pytest.approx(1 / 3, abs=1e-4)


def test_a_broader_word_must_come_first() -> None:
    with pytest.raises(WeightsError, match="later or never"):
        read_fold(["word,broader,classes", "dog,animal,151"])


def test_a_class_that_does_not_exist_is_refused() -> None:
    with pytest.raises(WeightsError, match="1000"):
        read_fold(["word,broader,classes", "dog,,1000"])


def test_the_table_that_ships_is_sound() -> None:
    fold = read_fold(WORDS.read_text("utf-8").splitlines())
    assert len(fold.words) == len(set(fold.words))
    assert (fold.matrix.sum(axis=1) > 0).all(), "a word without a class is never said"


@given(st.integers(0, 2**32 - 1))
def test_no_word_is_likelier_than_its_broader_one(seed: int) -> None:
    fold = read_fold(TABLE)
    logits = np.random.default_rng(seed).normal(scale=8, size=(3, 1000)).astype(np.float32)
    animal, dog, pug, cat = fold.probabilities(logits).T
    assert (pug <= dog + 1e-6).all()
    assert (dog + cat <= animal + 1e-6).all()


def test_softmax_survives_large_logits() -> None:
    assert softmax(np.array([[1000.0, 0.0]])) == pytest.approx(np.array([[1.0, 0.0]]))


def test_what_shows_a_dog_shows_an_animal() -> None:
    words = [
        TagWord("animal", "", ("animal",)),
        TagWord("dog", "animal", ("dog", "puppy")),
        TagWord("cat", "animal", ("cat",)),
    ]
    shown = truths(words, [" two dogs play ", " a puppy ", " a category error ", " an animal "])
    assert shown["dog"].tolist() == [True, True, False, False]
    assert shown["animal"].tolist() == [True, True, False, True]
    assert not shown["cat"].any()


def test_a_threshold_is_the_lowest_at_which_a_word_is_right_often_enough() -> None:
    words = [TagWord("dog", "", ("dog",))]
    probability = np.array([[0.9], [0.8], [0.7], [0.6], [0.5], [0.4]], dtype=np.float32)
    shown = {"dog": np.array([True, True, True, True, False, False])}
    config = TagCalibration(right=0.8, fewest=2)
    assert thresholds(words, probability, shown, config) == {"dog": pytest.approx(0.5)}


def test_words_that_are_wrong_or_unseen_keep_quiet() -> None:
    words = [TagWord("dog", "", ("dog",)), TagWord("emu", "", ("emu",))]
    probability = np.array([[0.9, 0.1], [0.8, 0.1], [0.7, 0.1]], dtype=np.float32)
    shown = {"dog": np.array([False, False, True]), "emu": np.zeros(3, dtype=bool)}
    config = TagCalibration(fewest=2)
    chosen = thresholds(words, probability, shown, config)
    assert chosen == {"dog": config.mute, "emu": config.unmeasured}


def test_a_breed_is_judged_by_the_dog() -> None:
    words = [
        TagWord("animal", "", ("animal",)),
        TagWord("dog", "animal", ("dog",)),
        TagWord("pug", "dog", ("pug",)),
    ]
    probability = np.full((4, 3), 0.9, dtype=np.float32)
    shown = {w: np.array([w != "pug"] * 4) for w in ("animal", "dog", "pug")}
    chosen = thresholds(words, probability, shown, TagCalibration(fewest=2))
    assert chosen["pug"] == pytest.approx(0.9)
