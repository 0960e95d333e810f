"""Calibration of caption confidence."""

import numpy as np
import pytest

from vision.heads.trust import Trust, clues
from vision.training.captions.confidence import calibrate, count_right, fit_logistic

A, DOG, CAT = range(3)
VOCABULARY = ["a", "dog", "cat"]


def test_the_fit_finds_the_weights_that_made_the_data() -> None:
    rng = np.random.default_rng(3)
    inputs = np.stack([rng.uniform(-3, 0, size=4000), np.ones(4000)], axis=1)
    told = rng.integers(1, 6, size=4000)
    right = rng.binomial(told, 1 / (1 + np.exp(-(inputs @ [1.5, 2.0]))))
    assert fit_logistic(inputs, right, told) == pytest.approx([1.5, 2.0], abs=0.15)


def test_usual_words_are_not_counted() -> None:
    found = [([A, DOG], [-0.1, -0.1, -0.1]), ([A, CAT, CAT], [-1.0] * 4)]
    right, told = count_right(found, [["the dog"], ["a dog"]], VOCABULARY, usual=[A])
    assert right.tolist() == [1, 0]
    assert told.tolist() == [1, 1]


def test_a_caption_with_unlikely_telling_words_is_trusted_less() -> None:
    found = [([A, DOG], [-0.1, -0.2, -0.1]), ([A, CAT], [-0.1, -3.0, -0.1])] * 40
    references = [["a dog"], ["a dog"]] * 40
    logits = np.zeros((80, 5))
    weights = calibrate(found, logits, references, VOCABULARY, usual=[A])
    sure, unsure = Trust([A], weights).confidences(found[:2], logits[:2])
    assert sure > 0.9
    assert unsure < 0.1


def test_the_clues_are_of_all_words_of_telling_words_and_of_the_photo() -> None:
    logits = np.array([[0.0, np.log(3.0)], [0.0, 0.0]])
    found = [([A, DOG, CAT], [-1.0, -2.0, -4.0, -1.0]), ([A], [-1.0, -1.0])]
    rows = clues(found, logits, usual=[A])
    assert rows[0] == pytest.approx([-2.0, -3.0, -4.0, np.log(0.75), 1.0])
    assert rows[1, 1] < -1.0, "no telling word is no reason to trust"
