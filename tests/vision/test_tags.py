"""Folding ImageNet's classes into words: the tag head of the first version."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.errors import WeightsError
from vision.heads.tags import read_fold
from vision.probabilities import softmax
from vision.versions import open_version

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


def test_the_table_of_the_first_version_is_sound() -> None:
    fold = read_fold(open_version("lite2-2026.11").text("tags.csv").splitlines())
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
