"""Simulated people whose taste is known, in small; `manage.py benchmark ranker` is the whole."""

import pytest

from webapp.find.benchmarks import ranker
from webapp.find.benchmarks._people import RANDOM, TASTES


def test_the_order_of_somebody_with_a_taste_becomes_better() -> None:
    row = ranker.measure(TASTES[0], 400, seed=0, anew=100)
    assert row["promoted"]
    assert row["learned"] >= 1.15 * row["fused"]


@pytest.mark.parametrize("seed", range(3))
def test_random_choices_never_make_the_order_worse(seed: int) -> None:
    row = ranker.measure(RANDOM, 250, seed=seed, anew=50)
    assert row["learned"] >= row["fused"]


def test_figures_are_shown() -> None:
    figures = ranker.run({"searches": 60, "seeds": 1})
    text = ranker.table(figures)
    assert "60 searches each" in text
    assert text.count("random") == 1
