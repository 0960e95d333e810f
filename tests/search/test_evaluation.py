"""The measure of the cut-off measures what it says."""

import numpy as np
import pytest

from search.evaluation import (
    Judged,
    Library,
    alike_figures,
    average_precision,
    cutoff_figures,
    judged_labels,
    judged_words,
    keyword_figures,
)
from search.known import nothing_known
from search.texts import Texts
from tests.search.index_machine import unit_vectors

NOTHING = np.zeros(16, np.float32)  # a query that is like no photo


def alike(texts: list[Texts]) -> Library:
    """Photos that look the same, with these texts."""
    vectors = np.tile(unit_vectors(1, seed=1), (len(texts), 1))
    return Library(vectors, texts, unit_vectors(9, seed=2), nothing_known(16))


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
    library = alike([*tagged, Texts(3)])
    words = {"frog": Judged(frozenset({0, 1, 3}), frozenset())}

    figures = cutoff_figures(library, words, {"frog": NOTHING})

    assert figures["precision"] == pytest.approx(2 / 3)
    assert figures["recall"] == figures["recall_kept"] == pytest.approx(2 / 3)
    assert figures["false_alarms"] == 1.0  # photo 2 is left
    assert (figures["queries"], figures["shown"]) == (1, 3)


def test_the_curve_shows_less_from_higher_thresholds() -> None:
    library = alike([Texts(i, caption=("frog",) * (i % 2)) for i in range(6)])
    words = {"frog": Judged(frozenset({1, 3}), frozenset({5}))}

    curve = cutoff_figures(library, words, {"frog": NOTHING})["curve"]

    assert [point["threshold"] for point in curve] == sorted(p["threshold"] for p in curve)
    for name in ("shown", "recall", "recall_kept", "false_alarms"):
        values = [point[name] for point in curve]
        assert values == sorted(values, reverse=True)
        assert values[0] > values[-1] or name == "false_alarms"


def test_figures_of_examples_that_tell_their_classes_apart() -> None:
    """Two classes far from each other and one photo like no other."""
    axes = np.eye(8, dtype=np.float32)
    photos = np.concatenate([np.tile(axes[:1], (3, 1)), np.tile(axes[1:2], (3, 1)), axes[2:3]])
    figures = alike_figures(photos, [*"aaabbbc"])
    assert figures["photos"] == 7
    assert (figures["precision"], figures["recall_kept"]) == (1.0, 1.0)
    assert figures["false_alarms"] == 0.0
    confused = alike_figures(photos, [*"ababacc"])
    assert confused["precision"] < 0.6
    assert confused["false_alarms"] > 0.5


def test_average_precision_of_an_order_worked_out_by_hand() -> None:
    assert average_precision([4, 7, 5, 9], frozenset({4, 5})) == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert average_precision([7, 4], frozenset({4, 8})) == pytest.approx((1 / 2) / 2)
    assert average_precision([], frozenset({1})) == 0


def test_keywords_are_ranked_by_tags_and_unclear_photos_are_left_out() -> None:
    """The tag puts photo 0 before 1; photo 2 also has it, but whether rightly is not clear."""
    library = alike([Texts(0, tags=(("frog",),)), Texts(1), Texts(2, tags=(("frog",),))])

    right = {"frog": Judged(frozenset({0}), frozenset({2}))}
    wrong = {"frog": Judged(frozenset({1}), frozenset({2}))}

    assert keyword_figures(library, right, {"frog": NOTHING})["map"] == 1.0
    assert keyword_figures(library, wrong, {"frog": NOTHING})["by_word"] == {"frog": 0.5}
