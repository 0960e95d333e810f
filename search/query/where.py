"""Phrases about places: "in Rome", where Rome is a place of the library."""

from __future__ import annotations

from collections.abc import Container

from search.query.date_words import Words
from search.query.model import Condition, Field
from search.query.tokens import PUNCTUATION, Match
from search.words import split, word_set

_IN = word_set("in at near around from bei aus um")
_THE = {"the", "der", "den", "dem"}
_TAKEN = {"taken", "shot", "photographed", "aufgenommen"}
_MAX_WORDS = 4


def read_where(words: Words, start: int, *, places: Container[str]) -> Match | None:
    """The place that begins with a preposition at `start`."""
    begin = start + (words[start].key in _TAKEN)
    if begin >= len(words) or words[begin].key not in _IN:
        return None
    begin += 1
    begin += begin < len(words) and words[begin].key in _THE
    for length in range(min(_MAX_WORDS, len(words) - begin), 0, -1):
        typed = " ".join(word.raw for word in words[begin : begin + length])
        if " ".join(split(typed)) in places:
            value = typed.strip(PUNCTUATION)
            return Match(begin + length - start, (Condition(Field.PLACE, value),))
    return None
