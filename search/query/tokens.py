"""The words of free text, as the phrases of the query language see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from search.query.model import Condition
from search.words import fold

PUNCTUATION = ",;.!?()[]…"


class Token(NamedTuple):
    """A word as typed, and folded without the punctuation around it and apostrophes."""

    raw: str
    key: str

    @property
    def ends_a_clause(self) -> bool:
        return self.raw[-1] in ",;.!?)"


@dataclass(frozen=True, slots=True)
class Match:
    """What `length` words from somewhere on mean; without conditions they stay text, with `note`
    to say why."""

    length: int
    conditions: tuple[Condition, ...] = ()
    note: str = ""


def tokens(text: str) -> list[Token]:
    return [Token(raw, _key(raw)) for raw in text.split()]


def keys(words: Sequence[Token], start: int, count: int) -> tuple[str, ...]:
    """The keys of up to `count` words from `start` on."""
    return tuple(word.key for word in words[start : start + count])


@lru_cache(maxsize=4_096)
def _key(raw: str) -> str:
    return fold(raw).strip(PUNCTUATION).replace("'", "").replace("’", "")
