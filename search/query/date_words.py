"""Stretches of days in words: "3 May 2022", "last summer", "three years ago", "christmas 2021"."""

from __future__ import annotations

import re
from calendar import month_name
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from search.query.date_names import (
    EASTER,
    HOLIDAYS,
    LAST,
    MONTH_NAMES,
    NUMBERS,
    SEASONS,
    THIS,
    UNITS,
    WEEKDAY_NAMES,
    WEEKENDS,
    Holiday,
)
from search.query.dates import (
    OLDEST_YEAR,
    DateRange,
    days,
    looks_like_a_date,
    one_day,
    one_month,
    years,
)
from search.query.tokens import Token, keys, tokens

_DAY = timedelta(days=1)
_DAY_OF_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th|\.)?", re.ASCII)
_DECADE = re.compile(r"(\d{3}0)(?:s|er)", re.ASCII)
_YEARS = re.compile(r"(\d{4})(?:-|–|—|\.\.)(\d{4})", re.ASCII)
_GLUE = ("of", "the", "in")


class Span(NamedTuple):
    """The days that `length` words mean; None if there are no such days, for the reason `note`."""

    length: int
    days: DateRange | None
    note: str = ""


Words = Sequence[Token]
_Reader = Callable[[Words, int, date], Span | None]


def days_in_words(text: str, today: date) -> DateRange | None:
    """The days that all of `text` means."""
    words = tokens(text)
    span = read_days(words, 0, today)
    return span.days if span and span.length == len(words) else None


def read_days(words: Words, start: int, today: date) -> Span | None:
    """The stretch of days that begins at `start`, if there is one. Never raises."""
    for reader in _READERS:
        try:
            span = reader(words, start, today)
        except (ValueError, OverflowError):  # beyond the calendar
            continue
        if span:
            return span
    return None


def _year(word: str, today: date) -> int | None:
    whole = re.fullmatch(r"\d{4}", word, re.ASCII)
    return int(word) if whole and OLDEST_YEAR <= int(word) <= today.year + 1 else None


def _key(words: Words, place: int) -> str:
    return words[place].key if place < len(words) else ""


def _year_at(words: Words, place: int, today: date) -> tuple[int, int] | None:
    """A year at `place`, perhaps after “of”: (year, words)."""
    skipped = 1 if _key(words, place) in ("of", "in") else 0
    year = _year(_key(words, place + skipped), today)
    return (year, skipped + 1) if year else None


def _numeric(words: Words, start: int, today: date) -> Span | None:
    key = words[start].key
    if decade := _DECADE.fullmatch(key):
        first = int(decade[1])
        return Span(1, years(first, first + 9)) if OLDEST_YEAR <= first <= today.year else None
    if both := _YEARS.fullmatch(key):
        return _ordered(1, _year(both[1], today), _year(both[2], today))
    if year := _year(key, today):
        return Span(1, years(year, year))
    if len(key) < 6 or not (found := days(key)):
        return Span(1, None, _no_such(key)) if looks_like_a_date(key) else None
    return Span(1, found)


def _ordered(length: int, first: int | None, last: int | None) -> Span | None:
    if first is None or last is None:
        return None
    if first <= last:
        return Span(length, years(first, last))
    note = f"“{first}–{last}” was the wrong way round; searched from {last} to {first}."
    return Span(length, years(last, first), note)


def _dated_day(words: Words, start: int, today: date) -> Span | None:
    """`3 May 2022`, `3rd of May 2022`, `May 3, 2022`."""
    found = day_of_month(words, start)
    year = found and _year_at(words, start + found[0], today)
    if not found or not year:
        return None
    (length, month, day), (number, more) = found, year
    try:
        return Span(length + more, one_day(date(number, month, day)))
    except ValueError:
        return Span(length + more, None, _no_such(f"{day} {month_name[month]} {number}"))


def day_of_month(words: Words, start: int) -> tuple[int, int, int] | None:
    """(words, month, day) of `3 May`, `3rd of May`, `3. Mai` or `May 3`; the day may not exist."""
    first = _DAY_OF_MONTH.fullmatch(_key(words, start))
    if first:
        glue = 1 if _key(words, start + 1) == "of" else 0
        month = MONTH_NAMES.get(_key(words, start + 1 + glue))
        return (2 + glue, month, int(first[1])) if month and 1 <= int(first[1]) < 40 else None
    month = MONTH_NAMES.get(_key(words, start))
    day = month and _DAY_OF_MONTH.fullmatch(_key(words, start + 1))
    return (2, month, int(day[1])) if month and day and 1 <= int(day[1]) < 40 else None


def _named_with_year(words: Words, start: int, today: date) -> Span | None:
    """`May 2022`, `summer of 2019`, `christmas 2021`."""
    for length in (3, 2, 1):
        name = keys(words, start, length)
        year = _year_at(words, start + length, today) if len(name) == length else None
        span = year and _in_year(name, year[0])
        if year and span:
            return Span(length + year[1], span)
    return None


def _in_year(name: tuple[str, ...], year: int) -> DateRange | None:
    if name in HOLIDAYS:
        return _holiday(HOLIDAYS[name], year)
    if len(name) == 1 and name[0] in MONTH_NAMES:
        return one_month(year, MONTH_NAMES[name[0]])
    if len(name) == 1 and name[0] in SEASONS:
        return _season(SEASONS[name[0]], year)
    return None


def _season(month: int, year: int) -> DateRange:
    last = month + 3 - 12 * (month == 12)
    return DateRange(date(year, month, 1), date(year + (month == 12), last, 1))


def _holiday(holiday: Holiday, year: int) -> DateRange:
    if holiday == EASTER:
        sunday = easter_sunday(year)
        return DateRange(sunday - 2 * _DAY, sunday + 2 * _DAY)
    first = date(year, holiday.month, holiday.first)
    return DateRange(first, date(year, holiday.month, holiday.last) + _DAY)


def easter_sunday(year: int) -> date:
    """By the Gregorian calendar (Meeus, Jones and Butcher)."""
    a, b, c = year % 19, *divmod(year, 100)
    d, e = divmod(b, 4)
    f = (19 * a + b - d - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    g = (32 + 2 * e + 2 * (c // 4) - f - c % 4) % 7
    month, day = divmod(f + g - 7 * ((a + 11 * f + 22 * g) // 451) + 114, 31)
    return date(year, month, day + 1)


def _relative(words: Words, start: int, today: date) -> Span | None:
    """`last week`, `this year`, `last summer`, `last December`, `the last 3 days`."""
    word = words[start].key
    if word not in LAST and word not in THIS:
        return None
    if word in LAST and (counted := _counted(words, start + 1)):
        length, number, unit = counted
        return Span(1 + length, DateRange(_back(today + _DAY, number, unit), today + _DAY))
    for length in (3, 2, 1):
        name = keys(words, start + 1, length)
        if len(name) == length and (span := _latest(name, today, is_over=word in LAST)):
            return Span(1 + length, span)
    return None


def _counted(words: Words, start: int) -> tuple[int, int, int] | None:
    """(words, number, unit) of `3 days`, `two years`."""
    typed = _key(words, start)
    number = int(typed) if re.fullmatch(r"\d{1,3}", typed, re.ASCII) else NUMBERS.get(typed)
    unit = UNITS.get(_key(words, start + 1))
    return (2, number, unit) if number and unit else None


def _back(day: date, number: int, unit: int) -> date:
    if unit > 0:
        return day - timedelta(days=number * unit)
    months = day.year * 12 + day.month - 1 + number * unit
    first = date(months // 12, months % 12 + 1, 1)
    return min(first + (day.day - 1) * _DAY, (first + 31 * _DAY).replace(day=1) - _DAY)


def _latest(name: tuple[str, ...], today: date, *, is_over: bool) -> DateRange | None:
    """The latest of what is called `name`: the one that is over before today, or the present."""
    if len(name) == 1 and (span := _unit(name[0], today, is_over=is_over)):
        return span
    for year in (today.year, today.year - 1, today.year - 2):
        span = _in_year(name, year)
        if span is None:
            return None
        if span.end and span.start and (span.end <= today if is_over else span.start <= today):
            return span
    return None


def _unit(word: str, today: date, *, is_over: bool) -> DateRange | None:
    """A day, week, month, year, weekend or weekday: the present one, or the one before."""
    monday = today - today.weekday() * _DAY
    if word in WEEKENDS:
        saturday = monday + (-2 if is_over else 5) * _DAY
        return DateRange(saturday, saturday + 2 * _DAY)
    if word in WEEKDAY_NAMES:
        back = (today.weekday() - WEEKDAY_NAMES[word]) % 7
        return one_day(today - (back or 7 * is_over) * _DAY)
    unit = UNITS.get(word)
    if unit == 7:
        start = monday - 7 * is_over * _DAY
        return DateRange(start, start + 7 * _DAY)
    if unit == -1:
        day = today.replace(day=1) - is_over * _DAY
        return one_month(day.year, day.month)
    return years(today.year - is_over, today.year - is_over) if unit == -12 else None


def _ago(words: Words, start: int, today: date) -> Span | None:
    """`3 years ago`, `vor zwei Wochen`: the day, week, month or year that is so far back."""
    german = words[start].key == "vor"
    counted = _counted(words, start + german)
    if counted is None or not (german or _key(words, start + 2) == "ago"):
        return None
    _, number, unit = counted
    then = _back(today, number, unit)
    if unit == 1:
        return Span(3, one_day(then))
    if unit == 7:
        return Span(3, DateRange(then - then.weekday() * _DAY, then + (7 - then.weekday()) * _DAY))
    return Span(3, one_month(then.year, then.month) if unit == -1 else years(then.year, then.year))


def _day_words(words: Words, start: int, today: date) -> Span | None:
    back = {"today": 0, "heute": 0, "yesterday": 1, "gestern": 1, "vorgestern": 2}
    key = words[start].key
    return Span(1, one_day(today - back[key] * _DAY)) if key in back else None


def _no_such(day: str) -> str:
    return f"There is no {day}; searched for it as text."


_READERS: tuple[_Reader, ...] = (
    _dated_day,
    _named_with_year,
    _relative,
    _ago,
    _day_words,
    _numeric,
)
