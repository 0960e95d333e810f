"""What should not be on a photo: "without people", "no cars", "not the blurry one".

Which words belong to what is not wanted: up to a comma, a preposition or the next condition, and of
these, where the vocabulary knows one, up to the first thing it knows ("no red cars sunset": red
cars), else the first word. "No" belongs to the text where signs say it ("no parking", and whatever
goes on with "sign" or "allowed").
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from datetime import date

from search.query.date_words import Words
from search.query.model import Condition, Field
from search.query.tokens import Match, Token
from search.query.when import read_when
from search.query.where import read_where
from search.words import word_set

_NOT = word_set("without no not except excluding ohne kein keine keinen keinem keiner nicht")
_BEFORE_NOT = {"but", "and", "with", "und", "aber", "mit"}
_NOBODY = {"nobody", "noone", "niemand", "niemanden"}
_THE = word_set("the a an any some der die das den dem ein eine einen those these of")
_BOUNDARY = word_set(
    "in on at with by near under over of and or nor but for from to into behind "
    "und oder mit im am auf bei von vor"
)
_OR = {"or", "nor", "oder"}
_AND = {"and", "und"}
_ONE = word_set("one ones photo photos picture pictures image images bild bilder foto fotos")
_ON_SIGNS = word_set(
    "parking smoking entry entrance exit trespassing swimming diving fishing stopping standing "
    "littering camping hunting loitering vacancy limit limits uturn turn way problem"
)
_SIGN = {"sign", "signs", "allowed", "permitted", "schild"}
_MAX_WORDS = 4


def read_absent(
    words: Words, start: int, today: date, *, places: Container[str], things: Container[str]
) -> Match | None:
    """The negated conditions that begin at `start`."""
    begin = start + (words[start].key in _BEFORE_NOT)
    if begin >= len(words):
        return None
    if words[begin].key in _NOBODY:
        return _absent(begin + 1 - start, ["people"])
    if words[begin].key not in _NOT or words[begin].ends_a_clause:
        return None
    inner = begin + 1
    if inner < len(words) and words[begin].key == "no" and words[inner].key == "one":
        return _absent(inner + 1 - start, ["people"])
    turned = inner < len(words) and (
        read_when(words, inner, today) or read_where(words, inner, places=places)
    )
    if turned and turned.conditions:
        negated = tuple(replace(each, negated=True) for each in turned.conditions)
        return Match(inner - start + turned.length, negated, turned.note)
    end, values = _things(words, inner, things, goes_on=_goes_on(words[begin].key))
    return _absent(end - start, values) if values else None


def _goes_on(word: str) -> set[str]:
    """Words after which another thing is not wanted either: "no cars and people" wants people."""
    return _OR | _AND if word in ("without", "ohne", "excluding", "except") else _OR


def _things(
    words: Words, start: int, things: Container[str], *, goes_on: set[str]
) -> tuple[int, list[str]]:
    """Where the things that are not wanted end, and their names."""
    values: list[str] = []
    end = start
    while True:
        begin = end + _articles(words, end)
        run = _run(words, begin)
        if not run or _is_on_signs(words, begin):
            return (end, values) if values else (start, [])
        size = _size(run, things)
        is_thing = _named(run[:size]) in things
        if values and not is_thing:
            return end - 1, values  # after "and", only what is known for a thing
        values.append(_named(run[:size]))
        end = begin + size + _ones(words, begin + size)
        if run[size - 1].ends_a_clause or end >= len(words) or words[end].key not in goes_on:
            return end, values
        end += 1


def _articles(words: Words, start: int) -> int:
    end = start
    while end < len(words) and words[end].key in _THE:
        end += 1
    return end - start


def _ones(words: Words, start: int) -> int:
    return 1 if start < len(words) and words[start].key in _ONE else 0


def _run(words: Words, start: int) -> list[Token]:
    """The words that can belong to one thing."""
    run: list[Token] = []
    for word in words[start : start + _MAX_WORDS]:
        if word.key in _BOUNDARY | _NOT or not any(char.isalpha() for char in word.key):
            break
        if word.key in _ONE and run:
            break
        run.append(word)
        if word.ends_a_clause:
            break
    return run


def _is_on_signs(words: Words, start: int) -> bool:
    following = [word.key for word in words[start : start + _MAX_WORDS]]
    return bool(following) and (following[0] in _ON_SIGNS or not _SIGN.isdisjoint(following))


def _size(run: list[Token], things: Container[str]) -> int:
    """How many words of `run` are the thing: up to the first known one, at its longest."""
    for end in range(1, len(run) + 1):
        if any(_named(run[begin:end]) in things for begin in range(end)):
            longer = (e for e in range(len(run), end, -1) if _known_from(run, end, e, things))
            return next(longer, end)
    return 1


def _known_from(run: list[Token], end: int, longer: int, things: Container[str]) -> bool:
    return any(_named(run[begin:longer]) in things for begin in range(end))


def _named(run: list[Token]) -> str:
    return " ".join(word.key for word in run)


def _absent(length: int, values: list[str]) -> Match:
    conditions = (Condition(Field.SHOWS, value, negated=True) for value in values)
    return Match(length, tuple(conditions))
