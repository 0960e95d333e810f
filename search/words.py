"""Words as search compares them: folded, split, stemmed. One way for documents and for queries,
so that SQLite and PostgreSQL find the same photos.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import snowballstemmer

# Longer ones are nobody's words, and no index has to hold them.
MAX_WORD_LENGTH = 64

_WORD = re.compile(r"[^\W_]+")
_APOSTROPHE = re.compile(r"(?<=\w)['’](?:s\b)?")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LETTERS_OR_DIGITS = re.compile(r"\d+|[^\W\d_]+")
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}$")

_SAYS_NOTHING = (
    "a an the this that these those some any and or but of in on at by to for from with into "
    "over is are was were be been being it its there he she they his her their him them who which "
    "what i me my we us our you your as while up down out off "
    "photo photos picture pictures image images pic pics show find"  # said to a search box
)
STOP_WORDS = frozenset(_SAYS_NOTHING.split())


class Word(NamedTuple):
    """A word as it is written (folded) and its stem."""

    text: str
    stem: str


def fold(text: str) -> str:
    """Lower case without accents: `Café` and `cafe` are the same word."""
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return unicodedata.normalize("NFKC", bare.casefold())


def split(text: str) -> list[str]:
    """The words of `text`, folded; possessives lose their s."""
    return [word[:MAX_WORD_LENGTH] for word in _WORD.findall(_APOSTROPHE.sub("", fold(text)))]


def split_file_name(name: str) -> list[str]:
    """The words of a file name: `IMG_2031 BeachDay.jpg` has img, 2031, beach and day.

    Of `rome2019` it has the whole and both parts.
    """
    words = []
    for word in split(_CAMEL.sub(" ", _EXTENSION.sub("", name))):
        parts = _LETTERS_OR_DIGITS.findall(word)
        words += [word, *parts] if len(parts) > 1 else [word]
    return words


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Snowball's English stem: dog of dogs, run of running. Words of other languages pass mostly
    as they are; documents and queries are treated alike."""
    stemmed: str = snowballstemmer.stemmer("english").stemWord(word)
    return stemmed


def content_words(text: str) -> list[Word]:
    """The distinct words of a query that say something about a photo, in their order."""
    words = {word: None for word in split(text) if word not in STOP_WORDS}
    by_stem: dict[str, Word] = {}
    for word in words:
        by_stem.setdefault(stem(word), Word(word, stem(word)))
    return list(by_stem.values())


def word_set(text: str) -> frozenset[str]:
    """The words of a constant, as a set."""
    return frozenset(text.split())
