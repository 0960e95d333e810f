"""What phrases in free text mean: the readers of time, place and absence, taken together."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from datetime import date

from search.query.absent import read_absent
from search.query.model import Condition, distinct
from search.query.tokens import Match, Token, tokens
from search.query.when import read_when
from search.query.where import read_where
from search.words import STOP_WORDS, word_set

# Beside conditions these are no wish of their own: "photos from 2019", "the 1990s".
_SAYS_NOTHING = STOP_WORDS | word_set("foto fotos bild bilder aus vom von im am der die das jahr")

Reader = Callable[[list[Token], int], Match | None]


@dataclass
class Understood:
    """Free text without the phrases that were understood, and what they mean."""

    text: str
    conditions: list[Condition] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def understood(
    text: str, today: date, *, places: Container[str], things: Container[str], limit: int
) -> Understood:
    """Read `text` until nothing in it is a phrase any more, so that what is left, read again, is
    text; at most `limit` conditions are taken."""
    found = Understood(text)

    def read(words: list[Token], start: int) -> Match | None:
        return (
            read_absent(words, start, today, places=places, things=things)
            or read_when(words, start, today)
            or read_where(words, start, places=places)
        )

    words = tokens(text)
    before = -1
    while before != len(words):
        before = len(words)
        words = _pass(words, read, found, limit)
    if not (found.conditions and all(word.key in _SAYS_NOTHING for word in words)):
        found.text = " ".join(word.raw for word in words)
    else:
        found.text = ""
    return found


def _pass(
    words: list[Token],
    read: Callable[[list[Token], int], Match | None],
    found: Understood,
    limit: int,
) -> list[Token]:
    """One walk over `words`, leftmost phrase first; what is left of them."""
    kept: list[Token] = []
    start = 0
    while start < len(words):
        match = read(words, start)
        if match and match.note:
            found.notes.append(match.note)
        taken = distinct([*found.conditions, *match.conditions]) if match else ()
        if match and match.conditions and len(taken) <= limit:
            found.conditions = list(taken)
            start += match.length
        else:
            count = match.length if match and not match.conditions else 1
            kept += words[start : start + count]
            start += count
    return kept
