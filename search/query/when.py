"""Phrases about time: prepositions around stretches of days, and days that come again."""

from __future__ import annotations

from calendar import month_name
from datetime import date

from search.query.date_names import (
    CLEAR_MONTHS,
    HOLIDAYS,
    MONTH_NAMES,
    PLURAL_WEEKDAYS,
    SEASONS,
    WEEKDAY_NAMES,
    WEEKENDS,
)
from search.query.date_words import Span, Words, day_of_month, read_days
from search.query.dates import DateRange, Recurring, one_month
from search.query.model import Condition, Field
from search.query.tokens import Match, keys
from search.words import word_set

_BEFORE = {"before": "start", "vor": "start", "until": "end", "till": "end", "bis": "end"}
_AFTER = {"after": "end", "nach": "end", "since": "start", "seit": "start", "ab": "start"}
_FROM = {"from", "between", "von", "zwischen"}
_TO = {"to", "until", "till", "and", "bis", "und", "-", "–"}
_IN = word_set("in on during at over from of im am an zu um aus wahrend every each jeden jedes")
_THE = word_set("the der den dem die das a")
_AND = {"and", "or", "und", "oder", "&"}
_TAKEN = {"taken", "shot", "photographed", "aufgenommen"}
_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def read_when(words: Words, start: int, today: date) -> Match | None:
    """The condition on time that begins at `start`, with the words that lead to it."""
    begin = start
    while begin < len(words) and begin < start + 2 and words[begin].key in _TAKEN:
        begin += 1
    match = _read(words, begin, today)
    if match is None or not match.conditions:
        return match if begin == start else None
    return Match(match.length + begin - start, match.conditions, match.note)


def _read(words: Words, start: int, today: date) -> Match | None:
    if start >= len(words):
        return None
    return (
        _between(words, start, today)
        or _open(words, start, today)
        or _within(words, start, today)
        or _again(words, start)
    )


def _between(words: Words, start: int, today: date) -> Match | None:
    """`from May to July 2019`, `between 2015 and 2018`, `2015 to 2018`."""
    leads = words[start].key in _FROM
    if months := _months_of_a_year(words, start + leads, today, leads=leads):
        return Match(months.length + leads, months.conditions, months.note)
    first = read_days(words, start + leads, today) if start + leads < len(words) else None
    middle = start + leads + (first.length if first else 0)
    if not first or not first.days or middle + 1 >= len(words) or words[middle].key not in _TO:
        return None
    if words[middle].key in _AND and not leads:
        return None  # "2015 and 2018" are two wishes
    last = read_days(words, middle + 1, today)
    if not last or not last.days:
        return None
    return _ordered(first.days, last.days, middle + 1 + last.length - start)


def _months_of_a_year(words: Words, start: int, today: date, *, leads: bool) -> Match | None:
    """`May to July 2019`: the year belongs to both months."""
    first, glue, last = (*keys(words, start, 3), "", "", "")[:3]
    if (
        first not in MONTH_NAMES
        or last not in MONTH_NAMES
        or glue not in (_TO if leads else _TO - _AND)
    ):
        return None
    end = read_days(words, start + 2, today)
    if not end or not end.days or not end.days.start:
        return None
    begin = one_month(end.days.start.year, MONTH_NAMES[first])
    return _ordered(begin, end.days, 2 + end.length)


def _ordered(first: DateRange, last: DateRange, length: int) -> Match | None:
    if not (first.start and first.end and last.start and last.end):
        return None
    if first.start <= last.start:
        return _match(length, DateRange(first.start, last.end))
    note = f"The range was the wrong way round; searched from {last.start} on."
    return _match(length, DateRange(last.start, first.end), note)


def _open(words: Words, start: int, today: date) -> Match | None:
    """`before 2020`, `since last summer`; “vor 3 Jahren” is a day, and read there."""
    key = words[start].key
    side = _BEFORE.get(key) or _AFTER.get(key)
    span = _span_after(words, start + 1, today) if side else None
    if span is None or span.days is None or (key == "vor" and read_days(words, start, today)):
        return None
    edge = span.days.start if side == "start" else span.days.end
    days = DateRange(None, edge) if key in _BEFORE else DateRange(edge, None)
    return _match(1 + span.length, days)


def _span_after(words: Words, start: int, today: date) -> Span | None:
    """The days at `start`, perhaps after an article."""
    skipped = 1 if start < len(words) and words[start].key in _THE else 0
    span = read_days(words, start + skipped, today) if start + skipped < len(words) else None
    return span and Span(span.length + skipped, span.days, span.note)


def _within(words: Words, start: int, today: date) -> Match | None:
    """`in 2019`, `on 3 May 2022`, `during the last week`, `yesterday`."""
    span, lead = read_days(words, start, today), 0
    if span is None and words[start].key in ("the", "den"):
        span = _span_after(words, start, today)
    if span is None and words[start].key in _IN:
        lead, span = 1, _span_after(words, start + 1, today)
    if span is None:
        return None
    if span.days is None:
        return Match(span.length + lead, note=span.note)
    return _match(span.length + lead, span.days, span.note)


def _again(words: Words, start: int) -> Match | None:
    """`in December`, `on weekends`, `at christmas`, `in the summer`, `3 May`, `sundays`."""
    if day := _day_every_year(words, start):
        return day
    name = words[start].key
    if name in CLEAR_MONTHS:
        return _months(words, start, 0)
    if name in PLURAL_WEEKDAYS:
        return _every(1, Recurring(weekdays=(WEEKDAY_NAMES[name],)))
    if name in ("weekends", "wochenenden"):
        return _every(1, Recurring(weekdays=(5, 6)))
    return _named_again(words, start) if name in _IN else None


def _named_again(words: Words, start: int) -> Match | None:
    """A name that means days that come again, after a preposition and perhaps an article."""
    lead = 2 if words[start + 1 : start + 2] and words[start + 1].key in _THE else 1
    if day := _day_every_year(words, start + lead):
        return Match(day.length + lead, day.conditions, day.note)
    for length in (3, 2, 1):
        holiday = HOLIDAYS.get(keys(words, start + lead, length))
        if holiday and holiday.month:
            days = Recurring((holiday.month,), first=holiday.first, last=holiday.last)
            return _every(lead + length, days)
    name = words[start + lead].key if start + lead < len(words) else ""
    if name in MONTH_NAMES:
        return _months(words, start, lead)
    if name in SEASONS:
        months = tuple((SEASONS[name] + more - 1) % 12 + 1 for more in range(3))
        return _every(lead + 1, Recurring(months))
    if name in WEEKENDS:
        return _every(lead + 1, Recurring(weekdays=(5, 6)))
    if name in WEEKDAY_NAMES and len(name) > 3:
        return _every(lead + 1, Recurring(weekdays=(WEEKDAY_NAMES[name],)))
    return None


def _months(words: Words, start: int, lead: int) -> Match:
    """A month, and further ones after “and” or “or”."""
    months = [MONTH_NAMES[words[start + lead].key]]
    end = start + lead + 1
    while end + 1 < len(words) and words[end].key in _AND and words[end + 1].key in MONTH_NAMES:
        months.append(MONTH_NAMES[words[end + 1].key])
        end += 2
    return _every(end - start, Recurring(tuple(dict.fromkeys(months))))


def _day_every_year(words: Words, start: int) -> Match | None:
    found = day_of_month(words, start) if start < len(words) else None
    if found is None:
        return None
    length, month, day = found
    if day > _LONGEST_MONTH[month - 1]:
        said = f"There is no {day} {month_name[month]}; searched for it as text."
        return Match(length, note=said)
    return _every(length, Recurring((month,), first=day, last=day))


def _match(length: int, days: DateRange, note: str = "") -> Match:
    return Match(length, (Condition(Field.TAKEN, dates=days),), note)


def _every(length: int, days: Recurring) -> Match:
    return Match(length, (Condition(Field.EVERY, str(days)),))
