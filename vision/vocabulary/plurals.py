"""Plurals of English nouns: a short list of irregular ones, and the rule for all others."""

import csv
from functools import cache
from pathlib import Path

IRREGULAR = Path(__file__).parent / "tables" / "plurals.csv"
SIBILANTS = ("s", "x", "z", "ch", "sh")
VOWELS = "aeiou"


def plural(noun: str) -> str:
    """The plural, of the last word if there are several: "fire truck" -> "fire trucks".

    What has none in use ("snow", "surfing") gets one all the same; for search it does no harm. What
    is a plural already ("people", "skis") stays.
    """
    head, space, last = noun.rpartition(" ")
    if " of " in noun:
        first, of, rest = noun.partition(" of ")
        return plural(first) + of + rest
    return head + space + _plural(last)


def _plural(word: str) -> str:
    irregular = _irregular()
    if word in irregular:
        return irregular[word]
    if word in irregular.values() or (word.endswith("s") and not word.endswith(("ss", "us", "is"))):
        return word
    if word.endswith(SIBILANTS):
        return f"{word}es"
    if word.endswith("y") and word[-2:-1] not in VOWELS:
        return f"{word[:-1]}ies"
    return f"{word}s"


@cache
def _irregular() -> dict[str, str]:
    with IRREGULAR.open(encoding="utf-8", newline="") as lines:
        return {row["word"]: row["plural"] for row in csv.DictReader(lines)}
