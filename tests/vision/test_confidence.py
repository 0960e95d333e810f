"""Calibration of caption confidence."""

import numpy as np
import pytest

from vision.training.confidence import calibrate, fit_logistic


def test_the_fit_finds_the_slope_that_made_the_data() -> None:
    rng = np.random.default_rng(3)
    x = rng.uniform(-3, 0, size=4000)
    told = rng.integers(1, 6, size=4000)
    right = rng.binomial(told, 1 / (1 + np.exp(-(1.5 * x + 2.0))))
    assert fit_logistic(x, right, told) == pytest.approx((1.5, 2.0), abs=0.15)


def test_usual_words_neither_help_nor_harm() -> None:
    vocabulary = ["a", *(f"filler{n}" for n in range(29)), "dog", "cat"]
    captions = [(["a", "dog"], -0.1), (["a", "dog"], -0.2), (["a", "cat"], -2.0)]
    references = [["a dog"], ["the dog"], ["a dog"]]
    found = calibrate(captions * 20, references * 20, vocabulary)
    sure, unsure = (
        1 / (1 + np.exp(-(found["slope"] * score + found["offset"]))) for score in (-0.1, -2.0)
    )
    assert sure > 0.9
    assert unsure < 0.1
