"""Grades of an order, and what is noise between two measurements."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.grading import change, ndcg

GRADES = st.dictionaries(st.integers(0, 30), st.integers(1, 3), min_size=1)


@given(GRADES)
def test_the_best_order_is_worth_one_and_the_wrong_photos_nothing(grades: dict[int, int]) -> None:
    best = sorted(grades, key=lambda each: -grades[each])
    assert ndcg(best, grades) == pytest.approx(1.0)
    assert ndcg(list(range(31, 60)), grades) == 0.0


def test_the_gain_is_that_of_the_formula() -> None:
    found = ndcg([7, 1, 2], {1: 3, 2: 1, 9: 2}, k=3)
    gained = 7 / math.log2(3) + 1 / math.log2(4)
    best = 7 + 3 / math.log2(3) + 1 / math.log2(4)
    assert found == pytest.approx(gained / best)


@given(GRADES, st.permutations(range(31)))
def test_a_better_photo_further_up_is_never_worse(grades: dict[int, int], order: list[int]) -> None:
    swapped = [*order]
    swapped[0], swapped[5] = swapped[5], swapped[0]
    is_better = grades.get(order[5], 0) >= grades.get(order[0], 0)
    assert (ndcg(swapped, grades) >= ndcg(order, grades) - 1e-12) == is_better or math.isclose(
        ndcg(swapped, grades), ndcg(order, grades)
    )


def test_a_fall_of_every_query_is_one_and_shuffled_figures_are_none() -> None:
    chance = np.random.default_rng(0)
    before = chance.uniform(0.2, 0.9, 100)
    assert change(before, before - 0.05 * chance.uniform(0, 2, 100)).is_worse
    assert not change(before, before).is_worse
    assert not change(before, before + 0.05).is_worse
    noise = chance.normal(0, 0.2, 100)
    assert not change(before, before + noise - noise.mean() - 0.01).is_worse  # but for little


def test_what_nobody_sees_is_no_fall_however_sure_it_is() -> None:
    before = np.full(50, 0.5)
    assert not change(before, before - 0.001).is_worse
    assert change(before, before - 0.01).is_worse
