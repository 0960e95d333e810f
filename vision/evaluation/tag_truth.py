"""Which photos show what a tag says, by all that people wrote about them."""

import csv
import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision import heads
from vision.collection import Collection
from vision.words import words_of

WORDS = Path(heads.__file__).with_name("tag_words.csv")


@dataclass(frozen=True, slots=True)
class TagWord:
    """One row of the table: other names that captions use, and the broader word."""

    word: str
    broader: str
    names: tuple[str, ...]


def read_words(path: Path = WORDS) -> list[TagWord]:
    """The table of words, broader ones first."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [
            TagWord(
                word=row["word"],
                broader=row["broader"],
                names=tuple(filter(None, (row["word"], *row["aliases"].split(";")))),
            )
            for row in csv.DictReader(lines)
        ]


def truths(words: Sequence[TagWord], named: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """Which photos show each word, by all that is written about them (one string a photo).

    What shows a dog shows an animal, so a word's photos are its broader word's as well.
    """
    shown = {w.word: np.array([_names(text, w.names) for text in named]) for w in words}
    for word in reversed(words):
        if word.broader:
            shown[word.broader] = shown[word.broader] | shown[word.word]
    return shown


def written_about(collection: Collection, split: str, photos: Iterable[str]) -> list[str]:
    """Captions and labels of each photo as one string of words."""
    captions, labels = collection.captions(split), _labels(collection)
    return [
        " ".join(["", *words_of(" . ".join([*captions.get(p, []), labels.get(p, "")])), ""])
        for p in photos
    ]


def _labels(collection: Collection) -> dict[str, str]:
    """Object labels by photo, for collections that have them."""
    table = collection.folder / "photos.csv.gz"
    if not table.exists():
        return {}
    with gzip.open(table, "rt", encoding="utf-8", newline="") as lines:
        return {row["file"]: row.get("labels") or "" for row in csv.DictReader(lines)}


def _names(text: str, names: Iterable[str]) -> bool:
    """Whether a text, padded with spaces, has one of the names, in singular or plural."""
    return any(f" {name}{ending} " in text for name in names for ending in ("", "s", "es"))
