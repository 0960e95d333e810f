"""Selections behave as sets of ids do."""

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.index import Selection
from search.index.selection import Places

id_sets = st.sets(st.integers(0, 500))


@given(id_sets, id_sets)
def test_a_selection_is_a_set_of_ids(some: set[int], others: set[int]) -> None:
    a, b = Selection.of(sorted(some)), Selection.of(sorted(others))

    assert set(a.ids()) == some
    assert len(a) == len(some)
    assert set((a & b).ids()) == some & others
    assert set((a | b).ids()) == some | others
    assert set((a - b).ids()) == some - others
    assert set(a.adding(sorted(others)).ids()) == some | others
    assert set(a.removing(sorted(others)).ids()) == some - others
    assert list(a.contains(range(-3, 520))) == [i in some for i in range(-3, 520)]
    assert (a == b) is (some == others)


@given(id_sets)
def test_faiss_reads_the_same_members(members: set[int]) -> None:
    selector = faiss.IDSelectorBitmap(Selection.of(sorted(members)).bitmap())

    assert {i for i in range(520) if selector.is_member(i)} == members


@given(id_sets)
def test_places_are_those_in_ascending_order(members: set[int]) -> None:
    ordered = np.array(sorted(members), np.int64)

    assert list(Places(Selection.of(ordered)).of(ordered)) == list(range(len(members)))


def test_changing_a_selection_leaves_the_old_one_alone() -> None:
    before = Selection.of([1, 2])

    before.adding([3])
    before.removing([1])

    assert list(before.ids()) == [1, 2]


def test_the_id_that_faiss_reserves_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        Selection.of([-1])
