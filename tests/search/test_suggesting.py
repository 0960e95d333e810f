"""Completions and corrections come from the words there are."""

import pytest

from search.suggesting import Names, corrected

WORDS = {"beach": 20, "bench": 3, "mountain": 5, "mountains": 9, "car": 4, "strasse": 2, "boat": 1}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        *(("beech", "beach"), ("baech", "beach"), ("beachh", "beach"), ("each", "beach")),
        *(("mountians", "mountains"), ("mountein", "mountain"), ("Strase", "strasse")),
        *(("beach", None), ("mount", None), ("cat", None), ("zzzz", None), ("boot", "boat")),
        *(("", None), ("be-ch", None), ("be4ch", None), ("x" * 500, None)),
    ],
)
def test_a_slip_is_corrected(typed: str, meant: str | None) -> None:
    assert corrected(typed, WORDS) == meant


def test_names_are_found_by_the_beginning_of_any_word() -> None:
    names = Names({"golden retriever": 2, "Retro car": 1, "Café": 5, "car": 9})

    assert names.beginning("retr", 5) == ["Retro car", "golden retriever"]
    assert names.beginning("cafe", 5) == ["Café"]
    assert names.beginning("ca", 2) == ["car", "Café"]
    assert names.beginning("etr", 5) == []
