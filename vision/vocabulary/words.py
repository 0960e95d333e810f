"""The everyday words that photos are tagged with, read from the tables beside this file.

Each group has a table of `word, broader, classes, synonyms, hints`. Synonyms are what people type
for the word; hints are words of captions that show it without being a name for it ("surfer" shows
the sea). Torch-free: the web process reads it for search.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vision.vocabulary.plurals import plural

TABLES = Path(__file__).parent / "tables"
GROUPS = (
    "people",
    "animals",
    "food",
    "transport",
    "places",
    "nature",
    "activities",
    "occasions",
    "weather",
    "things",
    "clothing",
    "colours",
)


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the vocabulary.

    `broader` is a word or empty; `classes` are ImageNet's class indices that belong to this word
    and not already to a narrower one.
    """

    name: str
    group: str
    broader: str
    classes: tuple[int, ...]
    synonyms: tuple[str, ...]
    hints: tuple[str, ...]


@cache
def vocabulary() -> dict[str, Word]:
    """All words by name, a broader word before its narrower ones."""
    words = {word.name: word for group in GROUPS for word in _read(group)}
    ordered: dict[str, Word] = {}
    for name in words:
        for above in reversed([name, *_chain(words, name)]):
            ordered.setdefault(above, words[above])
    return ordered


def broader_words(name: str) -> list[str]:
    """The broader words of a word, nearest first: "pug" -> ["dog", "animal"]."""
    return list(_chain(vocabulary(), name))


def search_forms(name: str) -> list[str]:
    """Everything by which people look for what is tagged `name`, the name itself not included.

    Its plural, its synonyms and theirs, then its broader words and their plurals. A word that is
    not in the vocabulary, as people make their own tags, has its plural only.
    """
    own = vocabulary().get(name)
    names = [name, *(own.synonyms if own else ()), *(broader_words(name) if own else ())]
    forms = dict.fromkeys(form for each in names for form in (each, plural(each)))
    return [form for form in forms if form != name]


@cache
def hurtful_words() -> frozenset[str]:
    """Words that hurt when they are put on a person by mistake: never shown where one is likely."""
    return frozenset(row["word"] for row in read_table("hurtful"))


@cache
def prompt_templates() -> dict[str, tuple[str, ...]]:
    """By group the sentences, with `{word}` in them, that stand for a word in the joint space."""
    templates: dict[str, tuple[str, ...]] = {}
    for row in read_table("prompts"):
        templates[row["group"]] = (*templates.get(row["group"], ()), row["template"])
    return templates


def prompts(word: Word) -> list[str]:
    """The prompt ensemble of a word: every template of its group, and two synonyms as they are."""
    filled = [each.format(word=word.name) for each in prompt_templates()[word.group]]
    return [*filled, *word.synonyms[:2]]


def read_table(name: str) -> list[dict[str, str]]:
    """The rows of one table of this folder."""
    with (TABLES / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def class_ranges(text: str) -> tuple[int, ...]:
    """Indices from "151 281-283"."""
    indices: list[int] = []
    for part in text.split():
        first, _, last = part.partition("-")
        indices += range(int(first), int(last or first) + 1)
    return tuple(indices)


def _read(group: str) -> Iterator[Word]:
    for row in read_table(group):
        yield Word(
            name=row["word"],
            group=group,
            broader=row["broader"],
            classes=class_ranges(row["classes"]),
            synonyms=_listed(row["synonyms"]),
            hints=_listed(row["hints"]),
        )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(";")))


def _chain(words: dict[str, Word], name: str) -> Iterator[str]:
    """Raises ValueError when words are broader than one another."""
    seen = {name}
    while name := words[name].broader:
        if name in seen:
            raise ValueError(f"{name!r} is among its own broader words.")
        seen.add(name)
        yield name
