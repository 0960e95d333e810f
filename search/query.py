"""The query language: free text mixed with conditions, in any order.

    two dogs beach            free text, compared by meaning and by words
    "red car"  -car  -"x y"   exact words that must, or must not, stand in tags, caption or name
    tag:dog  camera:"EOS 90D" is:favourite
    2019  before:2020  after:2019-06  from:2019-06-01  to:2019-08

`-` before any condition turns it around. Whatever is not understood is free text, so every text is
a query. `str(query)` writes a query so that it parses to itself again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

# Beyond these, text is left out: nobody types so much, and every query must be quick.
MAX_SCANNED = 10_000
MAX_TEXT = 500
MAX_VALUE = 100
MAX_CONDITIONS = 32
OLDEST_YEAR = 1826  # of the first photo that is left


class Field(StrEnum):
    """What a condition is about; its value is the prefix that is typed."""

    WORDS = "words"  # quotes are typed instead
    TAG = "tag"
    CAMERA = "camera"
    FAVOURITE = "is"
    TAKEN = "taken"  # dates are typed instead


@dataclass(frozen=True, slots=True)
class DateRange:
    """Days from `start` up to but without `end`; None is open."""

    start: date | None
    end: date | None

    def __str__(self) -> str:
        if self.start is None or self.end is None:
            return f"before:{self.end}" if self.end else f"from:{self.start}"
        last = self.end - timedelta(days=1)
        whole_year = (self.start, last) == (date(self.start.year, 1, 1), date(last.year, 12, 31))
        if whole_year and self.start.year == last.year:
            return f"taken:{self.start.year:04}"
        return f"taken:{self.start}..{last}"


@dataclass(frozen=True, slots=True)
class Condition:
    """What a photo must satisfy, or must not if `negated`."""

    field: Field
    value: str = ""
    dates: DateRange | None = None  # of Field.TAKEN
    negated: bool = False

    def __str__(self) -> str:
        return f"{'-' if self.negated else ''}{self._plain()}"

    def _plain(self) -> str:
        if self.field is Field.WORDS:
            return f'"{self.value}"'
        if self.field is Field.TAKEN:
            return str(self.dates)
        quoted = f'"{self.value}"' if re.search(r"\s", self.value) else self.value
        return f"{self.field}:{quoted}"


@dataclass(frozen=True, slots=True)
class Query:
    """Free text and the conditions around it, in the order in which they were typed."""

    text: str = ""
    conditions: tuple[Condition, ...] = ()

    def __str__(self) -> str:
        return " ".join(filter(None, [self.text, *map(str, self.conditions)]))

    def __bool__(self) -> bool:
        return bool(self.text or self.conditions)

    def of(self, field: Field) -> tuple[Condition, ...]:
        """The conditions about `field`."""
        return tuple(each for each in self.conditions if each.field is field)

    def without(self, condition: Condition) -> Query:
        kept = tuple(each for each in self.conditions if each != condition)
        return replace(self, conditions=kept)

    def turned(self, condition: Condition) -> Query:
        """The query with `condition` turned around."""
        other = replace(condition, negated=not condition.negated)
        turned = (other if each == condition else each for each in self.conditions)
        return replace(self, conditions=_distinct(turned))


# A condition ends at white space, unless its value is in quotes. Every alternative eats at least
# one character, and none can be matched in two ways, so scanning takes time linear in the text.
_TOKEN = re.compile(
    r"""(?P<minus>-*)
        (?: (?P<named>tag|camera): (?: "(?P<quoted>[^"]*)" | (?P<name>[^\s"]+) )
          | (?P<prefix>is|taken|from|after|to|before): (?P<value>[^\s"]+)
          | "(?P<words>[^"]*)"
          | (?P<plain>[^\s"]+) )
      | ["\-]""",
    re.VERBOSE | re.IGNORECASE,
)
_QUOTES = dict.fromkeys(map(ord, "“”„‟«»＂"), '"')
_DATE = re.compile(r"(\d{4})(?:[-./](\d{1,2}))?(?:[-./](\d{1,2}))?")
_RANGE = re.compile(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})")


def parse(text: str, today: date) -> Query:
    """Understand `text` as typed on the day `today`. Never raises; what cannot be understood is
    free text, and what is beyond the limits above is left out."""
    free: list[str] = []
    conditions: list[Condition] = []
    for token in _TOKEN.finditer(_cleaned(text)):
        condition = _condition(token, today)
        if condition is None:
            free.append(token[0].lstrip("-").strip('"'))
        elif condition.value or condition.dates:
            conditions.append(condition)
    return Query(_clipped(" ".join(free), MAX_TEXT), _distinct(conditions)[:MAX_CONDITIONS])


def _condition(token: re.Match[str], today: date) -> Condition | None:
    """What one token asks for; None if it is free text."""
    negated = bool(token["minus"])
    if token["words"] is not None:
        return Condition(Field.WORDS, _value(token["words"]), negated=negated)
    if token["named"]:
        value = _value(token["quoted"] or token["name"] or "")
        return Condition(Field(token["named"].lower()), value, negated=negated)
    if token["prefix"]:
        return _prefixed(token["prefix"].lower(), token["value"], negated)
    plain = token["plain"] or ""
    if re.fullmatch(r"\d{4}", plain) and OLDEST_YEAR <= int(plain) <= today.year + 1:
        return Condition(Field.TAKEN, dates=_days(plain), negated=negated)
    if negated and any(char.isalnum() for char in plain):
        return Condition(Field.WORDS, _value(plain), negated=True)
    return None


def _prefixed(prefix: str, value: str, negated: bool) -> Condition | None:
    if prefix == Field.FAVOURITE:
        favourite = value.lower() in ("favourite", "favorite")
        return Condition(Field.FAVOURITE, "favourite", negated=negated) if favourite else None
    dates = _dates(prefix, value)
    return Condition(Field.TAKEN, dates=dates, negated=negated) if dates else None


def _dates(prefix: str, value: str) -> DateRange | None:
    """`from` and `to` include the days they name, `after` and `before` do not."""
    if prefix == Field.TAKEN and (ends := _RANGE.fullmatch(value)):
        first, last = _days(ends[1]), _days(ends[2])
        return DateRange(first.start, last.end) if first and last else None
    days = _days(value)
    if days is None:
        return None
    ranges = {
        "from": DateRange(days.start, None),
        "after": DateRange(days.end, None),
        "to": DateRange(None, days.end),
        "before": DateRange(None, days.start),
        "taken": days,
    }
    return ranges.get(prefix)


def _days(text: str) -> DateRange | None:
    """The days of a year, month or day such as 2019, 2019-06 or 2019-06-30; None if it is none."""
    if not (parts := _DATE.fullmatch(text)):
        return None
    year, month, day = (int(part) if part else None for part in parts.groups())
    try:
        start = date(year or 0, month or 1, day or 1)
        if day:
            return DateRange(start, start + timedelta(days=1))
        if month:
            return DateRange(start, (start + timedelta(days=31)).replace(day=1))
        return DateRange(start, start.replace(year=start.year + 1))
    except (ValueError, OverflowError):
        return None


def _cleaned(text: str) -> str:
    """The beginning of `text` with plain quotes and without what cannot be seen: control
    characters, surrogates, marks that turn the direction of writing. Joiners stay for emoji."""
    visible = (
        char if unicodedata.category(char) not in ("Cc", "Cf", "Cs") or char == "\u200d" else " "
        for char in unicodedata.normalize("NFC", text[:MAX_SCANNED]).translate(_QUOTES)
    )
    return "".join(visible)[:MAX_SCANNED]


def _value(text: str) -> str:
    return _clipped(text.replace('"', " "), MAX_VALUE)


def _clipped(text: str, limit: int) -> str:
    """`text` with single spaces, cut after the last whole word within `limit`."""
    tidy = " ".join(text.split())
    if len(tidy) <= limit:
        return tidy
    return tidy[: limit + 1].rpartition(" ")[0] or tidy[:limit]


def _distinct(conditions: Iterator[Condition] | list[Condition]) -> tuple[Condition, ...]:
    return tuple(dict.fromkeys(conditions))
