"""What a check finds, in words, and what would mend it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Level(Enum):
    OK = "ok"
    NOTE = "note"  # worth knowing, nothing is wrong
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One sentence about one part of Marea.

    `remedy` says what to do, or, where there is `mend`, what that would do. `mend` returns a
    sentence about what was done.
    """

    check: str
    message: str
    level: Level = Level.OK
    remedy: str = ""
    mend: Callable[[], str] | None = None
    ends_examination: bool = False  # what comes later would only repeat this failure


# Passes items on while it shows how far they are.
Progress = Callable[[Iterable[Any]], Iterable[Any]]
Check = Callable[[], Iterator[Finding]]


def problem(
    check: str,
    message: str,
    remedy: str,
    mend: Callable[[], str] | None = None,
    *,
    ends_examination: bool = False,
) -> Finding:
    return Finding(check, message, Level.PROBLEM, remedy, mend, ends_examination)


def note(check: str, message: str, remedy: str = "") -> Finding:
    return Finding(check, message, Level.NOTE, remedy)


def count(number: int, singular: str, plural: str = "") -> str:
    """`3 photos`, `1 photo`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def some(ids: Sequence[object], most: int = 5) -> str:
    """The first few, and that there are more: `3, 7, 12 and 20 more`."""
    shown = ", ".join(str(each) for each in ids[:most])
    return shown if len(ids) <= most else f"{shown} and {len(ids) - most} more"
