"""Completions and corrections of a word, out of the words that a library has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rapidfuzz import process
from rapidfuzz.distance import OSA

from search.words import fold

# Shorter words have too many neighbours: "cat" is no mistyped "car".
SHORTEST_CORRECTED = 4
LONG = 8  # from here on two slips are forgiven


@dataclass(frozen=True)
class Names:
    """Names with how often each occurs; found by the beginning of any of their words."""

    counts: Mapping[str, int]
    _folded: list[tuple[str, str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_count = sorted(self.counts, key=lambda name: (-self.counts[name], name))
        object.__setattr__(self, "_folded", [(f" {fold(name)}", name) for name in by_count])

    def commonest(self, count: int) -> list[str]:
        """Up to `count` names that occur, the commonest first."""
        return [name for _, name in self._folded[:count] if self.counts[name]]

    def beginning(self, typed: str, count: int) -> list[str]:
        """Up to `count` names with a word that begins with `typed`, names that begin with it
        first, then the commonest."""
        start = f" {fold(typed).strip()}"
        found = [(not key.startswith(start), name) for key, name in self._folded if start in key]
        return [name for _, name in sorted(found, key=lambda each: each[0])[:count]]


def corrected(word: str, counts: Mapping[str, int]) -> str | None:
    """The likeliest word that `word` was meant to be, of `counts` (folded words with how often each
    occurs); None if it is one of them, begins one, or is like none.

    One slip is forgiven, two in a long word: a letter too few, too many, wrong, or two that changed
    places. The first letter is seldom wrong, so words that share it go first.
    """
    typed = fold(word)
    if len(typed) < SHORTEST_CORRECTED or not typed.isalpha() or _is_known(typed, counts):
        return None
    slips = 2 if len(typed) >= LONG else 1
    near = process.extract(
        typed, counts.keys(), scorer=OSA.distance, score_cutoff=slips, limit=None
    )
    best = (
        min((distance, found[0] != typed[0], -counts[found], found) for found, distance, _ in near)
        if near
        else None
    )
    return best[3] if best else None


def counted(texts: Iterable[Sequence[str]]) -> dict[str, int]:
    """How often each word occurs in texts of folded words."""
    counts: dict[str, int] = {}
    for text in texts:
        for word in text:
            counts[word] = counts.get(word, 0) + 1
    return counts


def _is_known(typed: str, counts: Mapping[str, int]) -> bool:
    return typed in counts or any(word.startswith(typed) for word in counts)
