"""From text to a query: first what is written as a condition, then phrases in the words left."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterator
from datetime import date

from search.query.date_words import days_in_words
from search.query.dates import OLDEST_YEAR, DateRange, Recurring, days
from search.query.model import HAS, TYPES, Condition, Field, Query, distinct
from search.query.phrases import understood

# Beyond these, text is left out: nobody types so much, and every query must be quick.
MAX_SCANNED = 10_000
MAX_TEXT = 500
MAX_VALUE = 100
MAX_CONDITIONS = 32

_NAMED = {Field.TAG, Field.CAMERA, Field.PLACE, Field.ALBUM, Field.SHOWS}
_CHOICES = {
    Field.TYPE: TYPES,
    Field.HAS: HAS,
    Field.FAVOURITE: dict.fromkeys(("favourite", "favorite"), "favourite"),
}

# A condition ends at white space, unless its value is in quotes. Every alternative eats at least
# one character, and none can be matched in two ways, so scanning takes time linear in the text.
_TOKEN = re.compile(
    r"""(?P<minus>-*)
        (?: (?P<prefix>(?ai:tag|camera|place|album|shows|type|has|is|every
                |taken|from|after|to|before)):
            (?: "(?P<quoted>[^"]*)" | (?P<value>[^\s"]+) )
          | "(?P<words>[^"]*)"
          | (?P<plain>[^\s"]+) )
      | ["\-]""",
    re.VERBOSE,
)
_QUOTES = dict.fromkeys(map(ord, "“”„‟«»＂"), '"')
_RANGE = re.compile(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})", re.ASCII)


def parse(
    text: str, today: date, *, places: Container[str] = (), things: Container[str] = ()
) -> Query:
    """Understand `text` as typed on the day `today`. Never raises; what cannot be understood is
    free text, and what is beyond the limits above is left out.

    `places` are names for which "in Rome" asks, `things` are words for what can be on a photo,
    which tell how much of "no red cars sunset" is not wanted: both folded (`search.words.split`).
    """
    scan = _Scan(today)
    scan.read(cleaned(text))
    written = distinct(scan.conditions)[:MAX_CONDITIONS]
    free = _clipped(" ".join(scan.free), MAX_TEXT)
    found = understood(
        free, today, places=places, things=things, limit=MAX_CONDITIONS - len(written)
    )
    conditions = distinct([*written, *found.conditions])
    notes = [*scan.notes, *found.notes, *_contradictions(conditions)]
    return Query(found.text, conditions, tuple(dict.fromkeys(notes)))


class _Scan:
    """The first pass: quotes, minus signs, prefixes."""

    def __init__(self, today: date) -> None:
        self.today = today
        self.free: list[str] = []
        self.conditions: list[Condition] = []
        self.notes: list[str] = []

    def read(self, text: str) -> None:
        for token in _TOKEN.finditer(text):
            condition = self._condition(token)
            if condition is None:
                self._set_free(token)
            elif condition.value or condition.dates:
                self.conditions.append(condition)

    def _set_free(self, token: re.Match[str]) -> None:
        """What is not understood is text; in quotes there may be several words of it."""
        if token["quoted"]:
            self.notes.pop()  # its words are told about one by one
            self.read(f"{token['prefix']}:{token['quoted']}")
        else:
            self.free.append(token[0].lstrip("-").strip('"'))

    def _condition(self, token: re.Match[str]) -> Condition | None:
        """What one token asks for; None if it is free text."""
        negated = bool(token["minus"])
        if token["words"] is not None:
            return Condition(Field.WORDS, _value(token["words"]), negated=negated)
        if token["prefix"]:
            typed = token["value"] if token["quoted"] is None else token["quoted"]
            return self._prefixed(token["prefix"].lower(), _value(typed), negated)
        plain = token["plain"] or ""
        if negated and _is_year(plain, self.today):
            return Condition(Field.TAKEN, dates=days(plain), negated=True)
        if negated and any(char.isalnum() for char in plain):
            return Condition(Field.SHOWS, _value(plain), negated=True)
        return None

    def _prefixed(self, prefix: str, value: str, negated: bool) -> Condition | None:
        if not value or prefix in _NAMED:
            field = Field(prefix) if prefix in _NAMED else Field.TAG  # without a value, any will do
            return Condition(field, value, negated=negated)
        if prefix in _CHOICES:
            known = _CHOICES[Field(prefix)].get(value.lower(), "")
            return self._known(prefix, value, Condition(Field(prefix), known, None, negated))
        if prefix == Field.EVERY:
            recurring = Recurring.read(value)
            known = str(recurring or "")
            return self._known(prefix, value, Condition(Field.EVERY, known, None, negated))
        return self._dated(prefix, value, negated)

    def _known(self, prefix: str, value: str, condition: Condition) -> Condition | None:
        if condition.value:
            return condition
        known = ", ".join(dict.fromkeys(_CHOICES.get(Field(prefix), {}).values()))
        hint = f" It can be: {known}." if known else ""
        self.notes.append(f"“{prefix}:{value}” is not known; searched for it as text.{hint}")
        return None

    def _dated(self, prefix: str, value: str, negated: bool) -> Condition | None:
        dates = self._dates(prefix, value)
        if dates is None:
            self.notes.append(f"“{value}” is no date; searched for “{prefix}:{value}” as text.")
            return None
        return Condition(Field.TAKEN, dates=dates, negated=negated)

    def _dates(self, prefix: str, value: str) -> DateRange | None:
        """`from` and `to` include the days they name, `after` and `before` do not."""
        if prefix == Field.TAKEN and (ends := _RANGE.fullmatch(value)):
            return self._range(days(ends[1]), days(ends[2]))
        named = days(value) or days_in_words(value, self.today)
        if named is None:
            return None
        ranges = {
            "from": DateRange(named.start, None),
            "after": DateRange(named.end, None),
            "to": DateRange(None, named.end),
            "before": DateRange(None, named.start),
            "taken": named,
        }
        return ranges.get(prefix)

    def _range(self, first: DateRange | None, last: DateRange | None) -> DateRange | None:
        if not (first and last and first.start and first.end and last.start and last.end):
            return None
        if first.start > last.start:
            first, last = last, first
            self.notes.append(f"The range was the wrong way round; searched from {first.start} on.")
        return DateRange(first.start, last.end)


def _contradictions(conditions: tuple[Condition, ...]) -> Iterator[str]:
    """A sentence where no day satisfies all dates."""
    ranges = [each.dates for each in conditions if each.dates and not each.negated]
    start = max((each.start for each in ranges if each.start), default=None)
    end = min((each.end for each in ranges if each.end), default=None)
    if start and end and start >= end:
        said = " and ".join(f"“{each}”" for each in ranges)
        yield f"No day satisfies {said} at once, so nothing can be found; remove one of them."


def _is_year(text: str, today: date) -> bool:
    whole = re.fullmatch(r"\d{4}", text, re.ASCII)
    return bool(whole) and OLDEST_YEAR <= int(text) <= today.year + 1


def cleaned(text: str) -> str:
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
