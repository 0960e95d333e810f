"""Why a photo is among the results, in a few words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from search.query import Condition, DateRange, Field, Query, label

# The one reason that lies in the photo itself: a heat map can show where.
LOOKS_LIKE_IT = "looks like it"
MAX_LINE = 40  # characters of a line read in a photo
_TAKEN = (Field.EVERY, Field.PLACE)


def looks_like_it(_photo_id: int) -> str:
    return LOOKS_LIKE_IT


def tagged(words: Sequence[str]) -> str:
    return f"tagged {_listed(words)}"


def caption_says(words: Sequence[str]) -> str:
    return f"caption says {_quoted(words)}"


def name_has(words: Sequence[str]) -> str:
    return f"file name has {_quoted(words)}"


def text_says(lines: Sequence[str]) -> str:
    return f"text in photo: {_quoted([_short(line) for line in lines])}"


def taken_in(names: Sequence[str]) -> str:
    return f"taken in {_listed(names)}"


def in_album(names: Sequence[str]) -> str:
    return f"in album {_quoted(names)}"


def in_folder(names: Sequence[str]) -> str:
    return f"in folder {_quoted(names)}"


def satisfied(query: Query) -> tuple[str, ...]:
    """Reasons of a photo that satisfies a query of conditions alone."""
    return tuple(_said(condition) for condition in query.conditions if not condition.negated)


def _said(condition: Condition) -> str:
    if condition.field is Field.WORDS:
        return f"has the words ‘{condition.value}’"
    if condition.field is Field.TAKEN and condition.dates:
        return f"taken {_days(condition.dates)}"
    return f"taken {label(condition)}" if condition.field in _TAKEN else label(condition)


def _days(dates: DateRange) -> str:
    """`on 2024-02-29`, `from 2019-01-01 to 2019-12-31`, `before 2020-01-01`, `since 2019-06-01`."""
    if dates.end is None:
        return f"since {dates.start}"
    if dates.start is None:
        return f"before {dates.end}"
    last = dates.end - timedelta(days=1)
    return f"on {last}" if last <= dates.start else f"from {dates.start} to {last}"


def _short(line: str) -> str:
    """A line of a photo's text, cut where it is long: a page has no shorter ones."""
    return line if len(line) <= MAX_LINE else f"{line[:MAX_LINE].rstrip()}…"


def _quoted(words: Sequence[str]) -> str:
    return _listed([f"‘{word}’" for word in words])


def _listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
