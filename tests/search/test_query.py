"""The query language understands what people type, and survives everything else."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.query import MAX_TEXT, Condition, DateRange, Field, Query, Recurring, parse

TODAY = date(2026, 11, 24)  # a Tuesday
PLACES = {"rome", "italy", "new york", "laquila"}
THINGS = {"people", "car", "cars", "dogs", "hot dogs", "traffic light", "light"}


def conditions(text: str) -> list[Condition]:
    return list(parse(text, TODAY).conditions)


def test_free_text_and_conditions_mix_in_any_order() -> None:
    query = parse('tag:dog two  -cat "red car" on the beach is:favorite 2019', TODAY)

    assert query.text == "two on the beach"
    assert list(query.conditions) == [
        Condition(Field.TAG, "dog"),
        Condition(Field.SHOWS, "cat", negated=True),
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
    assert str(query.turned(cat)) == "beach tag:dog shows:cat"


# Text made of what the grammar cares about, beside any text at all.
PIECES = [
    "dog", "-", "--", '"', "“", "tag:", "camera:", "is:favourite", "before:", "2019", "2019-02-31",
    "last ", "summer ", "in ", "rome ", "no ", "without ", "people ", "3 ", "may ", "31 ", "feb ",
    "to ", "between ", "and ", "christmas ", "weekends ", "every:", "dec/24", "place:", "shows:",
    "type:", "has:text", "from:\"", "3.5.2022", "2018-2015", "ago ", "years ", "ſ", ",", "taken ",
    "taken:", "9000", "2020-01-01..2019-01-01", " ", "\t", "\u202e", "\ud800", "\x00", "é", "🏖️",
    "日本", ":", "0001", "AA:", "is:", "IS:FAVORITE", "from:",
]  # fmt: skip
queries = st.text() | st.lists(st.sampled_from(PIECES)).map("".join)


@settings(max_examples=500)
@given(queries, st.dates())
def test_any_text_is_a_query_and_formatting_keeps_it(text: str, today: date) -> None:
    query = parse(text, today, places=PLACES, things=THINGS)

    assert parse(str(query), today, places=PLACES, things=THINGS) == query
    assert len(query.text) <= MAX_TEXT
    str(query).encode()


@pytest.mark.parametrize(
    "piece",
    [
        *("-", '"', "tag:", 'tag:"', "a ", "-a ", "2019 ", '-"', "é", "a:"),
        *("last summer ", "no cars ", "between 2015 and ", 'is:"x ', "not "),
    ],
)
def test_long_text_is_clipped_and_keeps(piece: str) -> None:
    query = parse((piece * 10_000)[:10_000], TODAY)

    assert parse(str(query), TODAY) == query
    assert len(str(query)) < 5_000


def said(text: str) -> tuple[str, str]:
    """The text that is left of `text`, and its conditions as they would be typed exactly."""
    query = parse(text, TODAY, places=PLACES, things=THINGS)
    assert parse(str(query), TODAY, places=PLACES, things=THINGS) == query
    return query.text, " ".join(map(str, query.conditions))


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("last summer", "taken:2026-06-01..2026-08-31"),
        ("this year", "taken:2026"),
        ("last year", "taken:2025"),
        ("last month", "taken:2026-10"),
        ("last week", "taken:2026-11-16..2026-11-22"),
        ("last weekend", "taken:2026-11-21..2026-11-22"),
        ("last monday", "taken:2026-11-23"),
        ("last december", "taken:2025-12"),
        ("last christmas", "taken:2025-12-24..2025-12-26"),
        ("the last 3 days", "taken:2026-11-22..2026-11-24"),
        ("yesterday", "taken:2026-11-23"),
        ("two years ago", "taken:2024"),
        ("2019", "taken:2019"),
        ("in 2019", "taken:2019"),
        ("2015-2018", "taken:2015-01-01..2018-12-31"),
        ("between 2015 and 2018", "taken:2015-01-01..2018-12-31"),
        ("from May to July 2019", "taken:2019-05-01..2019-07-31"),
        ("in the 1990s", "taken:1990-01-01..1999-12-31"),
        ("before 2020", "before:2020-01-01"),
        ("since last summer", "from:2026-06-01"),
        ("until May 2020", "before:2020-06-01"),
        ("3 May 2022", "taken:2022-05-03"),
        ("3rd of May, 2022", "taken:2022-05-03"),
        ("May 3, 2022", "taken:2022-05-03"),
        ("2022-05-03", "taken:2022-05-03"),
        ("May 2022", "taken:2022-05"),
        ("summer of 2019", "taken:2019-06-01..2019-08-31"),
        ("winter 2019", "taken:2019-12-01..2020-02-29"),
        ("christmas 2021", "taken:2021-12-24..2021-12-26"),
        ("easter 2024", "taken:2024-03-29..2024-04-01"),
        ("in December", "every:dec"),
        ("in June and July", "every:jun+jul"),
        ("in the summer", "every:jun+jul+aug"),
        ("on weekends", "every:sat+sun"),
        ("on sundays", "every:sun"),
        ("at christmas", "every:dec/24..26"),
        ("on the 4th of July", "every:jul/4"),
        ("letzten Sommer", "taken:2026-06-01..2026-08-31"),
        ("vor drei Jahren", "taken:2023"),
        ("vor 2020", "before:2020-01-01"),
        ("seit 2018", "from:2018-01-01"),
        ("3. Mai 2022", "taken:2022-05-03"),
        ("im März 2020", "taken:2020-03"),
        ("03.05.2022", "taken:2022-05-03"),
        ("im Dezember", "every:dec"),
        ("am Wochenende", "every:sat+sun"),
        ('from:"last summer"', "from:2026-06-01"),
    ],
)
def test_time_is_understood_in_words(text: str, condition: str) -> None:
    assert said(text) == ("", condition)
    assert said(f"two dogs {text}") == ("two dogs", condition)


@pytest.mark.parametrize(
    "text",
    [
        *("last supper", "may flowers", "christmas tree", "summer dress", "to be or not to be"),
        *("no parking", "no parking sign", "street with no dogs allowed sign", "no 5", "march"),
        *("in a boat", "in bed", "dogs since forever", "april", "sun", "without", "not at all"),
    ],
)
def test_words_that_only_look_like_conditions_are_text(text: str) -> None:
    assert said(text) == (text, "")


@pytest.mark.parametrize(
    ("text", "left", "condition"),
    [
        ("beach without people", "beach", "-people"),
        ("street with no cars at night", "street at night", "-cars"),
        ("not the blurry one", "", "-blurry"),
        ("no red cars sunset", "sunset", '-shows:"red cars"'),
        ("no people sunset", "sunset", "-people"),
        ("no hot dogs", "", '-shows:"hot dogs"'),
        ("no traffic light", "", '-shows:"traffic light"'),
        ("without people or cars", "", "-people -cars"),
        ("without people and cars", "", "-people -cars"),
        ("no cars and people", "and people", "-cars"),
        ("no cars, sunset", "sunset", "-cars"),
        ("beach, nobody", "beach,", "-people"),
        ("Strand ohne Hunde", "Strand", "-hunde"),
        ("sea not in december", "sea", "-every:dec"),
        ("sea but not 2019", "sea", "-taken:2019"),
        ("pizza not in Rome", "pizza", "-place:Rome"),
        ("pizza in Rome", "pizza", "place:Rome"),
        ("taken in New York, 2019", "", 'place:"New York" taken:2019'),
        ("in L'Aquila", "", "place:L'Aquila"),
        ("photos from 2019", "", "taken:2019"),
        ("last tag:dog summer", "", "tag:dog taken:2026-06-01..2026-08-31"),
    ],
)
def test_absence_and_places_are_understood(text: str, left: str, condition: str) -> None:
    assert said(text) == (left, condition)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("31 February", "There is no 31 February; searched for it as text."),
        ("dogs 29 Feb 2023", "There is no 29 February 2023; searched for it as text."),
        ("2022-02-30", "There is no 2022-02-30; searched for it as text."),
        ("before:2019-02-31", "“2019-02-31” is no date; searched for “before:2019-02-31” as text."),
        ("2018-2015", "“2018–2015” was the wrong way round; searched from 2015 to 2018."),
        ("from 2018 to 2015", "The range was the wrong way round; searched from 2015-01-01 on."),
        (
            "taken:2020-01-01..2019-01-01",
            "The range was the wrong way round; searched from 2019-01-01 on.",
        ),
        ("is:blue", "“is:blue” is not known; searched for it as text. It can be: favourite."),
        ("from:2020 to:2018", "No day satisfies"),
    ],
)
def test_what_was_not_understood_is_said(text: str, note: str) -> None:
    (said,) = parse(text, TODAY).notes
    assert said.startswith(note)


def test_days_that_come_again_are_written_and_read() -> None:
    for days in (Recurring((12,)), Recurring((2,), first=3, last=3), Recurring(weekdays=(5, 6))):
        assert Recurring.read(str(days)) == days
    assert [Recurring.read(text) for text in ("", "dec/0", "dec+sat", "sat/3", "may/9..3")] == [
        None
    ] * 5
