"""The measure of the cut-off measures what it says."""

import numpy as np
import pytest

from search.evaluation import (
    Judged,
    Library,
    average_precision,
    cutoff_figures,
    judged_labels,
    judged_words,
    keyword_figures,
)
from search.signals import Texts
from tests.search.index_machine import unit_vectors


def test_words_are_judged_by_what_several_people_wrote() -> None:
    captions = [
        ["a dog", "two dogs run", "an animal"],
        ["a dog", "a cat", "a pet"],
        ["cats", "a cat"],
    ]
    captions += [["a house", "a house"]] * 7

    words = judged_words(captions)

    assert words["dog"] == Judged(frozenset({0}), frozenset({1}))
    assert words["cat"] == Judged(frozenset({2}), frozenset({1}))
    assert "house" not in words  # commoner than a search is
    assert judged_words([["a kite"], *[["grass"]] * 9])["kite"].relevant == {0}


def test_labels_are_certain() -> None:
    labels = judged_labels([["dog", "person"], ["person"], ["fire hydrant"]])
    assert labels["person"] == Judged(frozenset({0, 1}), frozenset())
    assert list(labels) == ["dog", "fire hydrant", "person"]


def test_figures_of_a_search_that_tags_decide() -> None:
    """Photos 0 and 1 have the tag, 2 has it wrongly, 3 lacks it; all look alike."""
    tagged = [Texts(i, tags=(("frog",),)) for i in (0, 1, 2)]
    library = Library(np.tile(unit_vectors(1, seed=1), (4, 1)), [*tagged, Texts(3)])
    words = {"frog": Judged(frozenset({0, 1, 3}), frozenset())}
    query = -unit_vectors(1, seed=1)[0] * 0.0

    figures = cutoff_figures(library, words, {"frog": query}, unit_vectors(9, seed=2))

    assert figures["precision"] == pytest.approx(2 / 3)
    assert figures["recall_kept"] == pytest.approx(2 / 3)
    assert figures["false_alarms"] == 1.0  # photo 2 is left
    assert figures["queries"] == 1


def test_average_precision_of_an_order_worked_out_by_hand() -> None:
    assert average_precision([4, 7, 5, 9], frozenset({4, 5})) == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert average_precision([7, 4], frozenset({4, 8})) == pytest.approx((1 / 2) / 2)
    assert average_precision([], frozenset({1})) == 0


def test_keywords_are_ranked_by_tags_and_unclear_photos_are_left_out() -> None:
    """The tag puts photo 0 before 1; photo 2 also has it, but whether rightly is not clear."""
    texts = [Texts(0, tags=(("frog",),)), Texts(1), Texts(2, tags=(("frog",),))]
    library = Library(np.tile(unit_vectors(1, seed=1), (3, 1)), texts)
    query = unit_vectors(1, seed=1)[0] * 0.0

    right = {"frog": Judged(frozenset({0}), frozenset({2}))}
    wrong = {"frog": Judged(frozenset({1}), frozenset({2}))}

    generic = unit_vectors(9, seed=2)
    assert keyword_figures(library, right, {"frog": query}, generic)["map"] == 1.0
    assert keyword_figures(library, wrong, {"frog": query}, generic)["by_word"] == {"frog": 0.5}
