"""The query language understands what people type, and survives everything else."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.query import MAX_TEXT, Condition, DateRange, Field, Query, parse

TODAY = date(2026, 11, 24)


def conditions(text: str) -> list[Condition]:
    return list(parse(text, TODAY).conditions)


def test_free_text_and_conditions_mix_in_any_order() -> None:
    query = parse('tag:dog two  -cat "red car" on the beach is:favorite 2019', TODAY)

    assert query.text == "two on the beach"
    assert list(query.conditions) == [
        Condition(Field.TAG, "dog"),
        Condition(Field.WORDS, "cat", negated=True),
        Condition(Field.WORDS, "red car"),
        Condition(Field.FAVOURITE, "favourite"),
        Condition(Field.TAKEN, dates=DateRange(date(2019, 1, 1), date(2020, 1, 1))),
    ]


def test_every_condition_can_be_turned_around() -> None:
    assert conditions('-tag:"hot dog" -is:favourite -"x y" --camera:eos') == [
        Condition(Field.TAG, "hot dog", negated=True),
        Condition(Field.FAVOURITE, "favourite", negated=True),
        Condition(Field.WORDS, "x y", negated=True),
        Condition(Field.CAMERA, "eos", negated=True),
    ]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("before:2020", None, date(2020, 1, 1)),
        ("after:2019-12", date(2020, 1, 1), None),
        ("from:2019-06-30", date(2019, 6, 30), None),
        ("TO:2024/2", None, date(2024, 3, 1)),
        ("taken:2024-02-29", date(2024, 2, 29), date(2024, 3, 1)),
        ("taken:2024-02-01..2024-02-29", date(2024, 2, 1), date(2024, 3, 1)),
        ("2027", date(2027, 1, 1), date(2028, 1, 1)),
    ],
)
def test_dates_are_understood(text: str, start: date | None, end: date | None) -> None:
    assert conditions(text) == [Condition(Field.TAKEN, dates=DateRange(start, end))]


@pytest.mark.parametrize(
    "text",
    [
        "before:2019-02-31",
        "to:9999",
        "is:blue",
        "colour:red",
        "1234",
        "2031",
        "tag:",
        "10:30",
        "a-b",
    ],
)
def test_what_is_not_understood_is_text(text: str) -> None:
    assert parse(text, TODAY) == Query(text)


@pytest.mark.parametrize(
    "text", ["", "   ", "-", "-- - ---", '"', '""', '-""', 'tag:""', "\x00\u202e"]
)
def test_nothing_is_an_empty_query(text: str) -> None:
    assert not parse(text, TODAY)


def test_an_unbalanced_quote_is_dropped() -> None:
    assert parse('red "car in rome', TODAY) == Query("red car in rome")
    assert parse("“red car” in rome", TODAY).of(Field.WORDS) == (Condition(Field.WORDS, "red car"),)


def test_conditions_can_be_removed_and_turned() -> None:
    query = parse("beach tag:dog -cat", TODAY)
    dog, cat = query.conditions

    assert query.without(dog) == parse("beach -cat", TODAY)
    assert str(query.turned(cat)) == 'beach tag:dog "cat"'


# Text made of what the grammar cares about, beside any text at all.
PIECES = [
    "dog", "-", "--", '"', "“", "tag:", "camera:", "is:favourite", "before:", "2019", "2019-02-31",
    "taken:", "9000", "2020-01-01..2019-01-01", " ", "\t", "\u202e", "\ud800", "\x00", "é", "🏖️",
    "日本", ":", "0001", "AA:", "is:", "IS:FAVORITE", "from:",
]  # fmt: skip
queries = st.text() | st.lists(st.sampled_from(PIECES)).map("".join)


@settings(max_examples=500)
@given(queries, st.dates())
def test_any_text_is_a_query_and_formatting_keeps_it(text: str, today: date) -> None:
    query = parse(text, today)

    assert parse(str(query), today) == query
    assert len(query.text) <= MAX_TEXT
    str(query).encode()


@pytest.mark.parametrize(
    "piece", ["-", '"', "tag:", 'tag:"', "a ", "-a ", "2019 ", '-"', "é", "a:"]
)
def test_long_text_is_clipped_and_keeps(piece: str) -> None:
    query = parse((piece * 10_000)[:10_000], TODAY)

    assert parse(str(query), TODAY) == query
    assert len(str(query)) < 5_000
