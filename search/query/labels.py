"""Conditions in words, as chips and reasons say them."""

from __future__ import annotations

from calendar import month_name
from collections.abc import Callable
from datetime import date, timedelta

from search.query.dates import DateRange
from search.query.model import Condition, Field

_HAS = {
    "caption": "with a caption",
    "place": "with a place",
    "text": "with text on it",
    "tags": "with tags",
}


def label(condition: Condition) -> str:
    """`in Rome`, `not in December`, `without people`."""
    if condition.field is Field.SHOWS:
        return f"{'without' if condition.negated else 'shows'} {condition.value}"
    said = _SAID[condition.field](condition)
    return f"not {said}" if condition.negated else said


def days_in_words(dates: DateRange) -> str:
    """`2019`, `May 2022`, `3 May 2022`, `1 June 2026 to 31 August 2026`, `before 2020`, `since May
    2019`."""
    if dates.start is None:
        return f"before {_point(dates.end)}" if dates.end else "any day"
    if dates.end is None:
        return f"since {_point(dates.start)}"
    last = dates.end - timedelta(days=1)
    if (dates.start.day, dates.end.day) != (1, 1):
        return _span(_day(dates.start), _day(last))
    if (dates.start.month, dates.end.month) == (1, 1):
        return _span(str(dates.start.year), str(last.year))
    return _span(_month(dates.start), _month(last))


def _span(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"


def _point(day: date | None) -> str:
    """Where a day begins a year or month, that is enough."""
    if day is None:
        return ""
    if (day.month, day.day) == (1, 1):
        return str(day.year)
    return _month(day) if day.day == 1 else _day(day)


def _month(day: date) -> str:
    return f"{month_name[day.month]} {day.year}"


def _day(day: date) -> str:
    return f"{day.day} {_month(day)}"


def _taken(condition: Condition) -> str:
    return days_in_words(condition.dates) if condition.dates else ""


def _every(condition: Condition) -> str:
    days = condition.recurring
    if days is None:
        return condition.value
    whole_months = days.months and (days.first, days.last) == (1, 31)
    return f"{'in' if whole_months else 'on'} {days.in_words}"


def _type(condition: Condition) -> str:
    shapes = ("portrait", "landscape", "square", "panorama", "screenshot")
    return condition.value if condition.value in shapes else condition.value.upper()


_SAID: dict[Field, Callable[[Condition], str]] = {
    Field.WORDS: lambda condition: f"“{condition.value}”",
    Field.TAG: lambda condition: f"tagged {condition.value}",
    Field.CAMERA: lambda condition: f"taken with {condition.value}",
    Field.PLACE: lambda condition: f"in {condition.value}",
    Field.ALBUM: lambda condition: f"in the album {condition.value}",
    Field.TYPE: _type,
    Field.HAS: lambda condition: _HAS.get(condition.value, condition.value),
    Field.FAVOURITE: lambda _: "a favourite",
    Field.TAKEN: _taken,
    Field.EVERY: _every,
}
