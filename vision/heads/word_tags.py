"""Tags from the everyday vocabulary: each word with a calibrated probability of its own.

See `vision.heads.word_model` for how probable words are, `vision.heads.saying` for which are said,
and `vision.heads.colours` for the colours of the scene, which need no model.
"""

import csv
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.backbones.base import Features
from vision.errors import WeightsError
from vision.heads import TAGGERS
from vision.heads.colours import COLOURS, SIDE, colour_probabilities
from vision.heads.saying import Rules
from vision.heads.word_model import WordModel
from vision.sight import EMBED_DIM
from vision.versions import Version
from vision.vocabulary.words import class_ranges

CLASSES = 1000


@dataclass(frozen=True, slots=True)
class WordTable:
    """The rows of a version's table of words, broader ones first; colours are the last."""

    words: tuple[str, ...]
    groups: tuple[str, ...]
    broader: tuple[int, ...]
    classes: tuple[tuple[int, ...], ...]
    thresholds: NDArray[np.float32]
    hurtful: NDArray[np.bool_]
    people: NDArray[np.bool_]

    @property
    def modelled(self) -> int:
        """How many words the model speaks of; the others are colours."""
        return len(self.words) - sum(group == "colours" for group in self.groups)

    def fold(self) -> NDArray[np.float32]:
        """Which classes each modelled word sums, (modelled, 1000), 0 or 1."""
        matrix = np.zeros((self.modelled, CLASSES), np.float32)
        for row, classes in zip(matrix, self.classes, strict=False):
            row[list(classes)] = 1.0
        return matrix


def read_word_table(text: str) -> WordTable:
    """Read `word, group, broader, classes, threshold, hurtful, person`.

    `classes` are all that count for the word, those of narrower words too. A word comes after its
    broader word. Raises WeightsError when the table is not like that.
    """
    rows = list(csv.DictReader(text.splitlines()))
    place: dict[str, int] = {}
    broader = []
    for number, row in enumerate(rows):
        if row["broader"] and row["broader"] not in place:
            raise WeightsError(
                f"The tag {row['word']!r} is under {row['broader']!r}, which comes later or never."
            )
        broader.append(place[row["broader"]] if row["broader"] else -1)
        place[row["word"]] = number
    return WordTable(
        words=tuple(row["word"] for row in rows),
        groups=tuple(row["group"] for row in rows),
        broader=tuple(broader),
        classes=tuple(_classes(row["classes"]) for row in rows),
        thresholds=np.array([float(row["threshold"]) for row in rows], np.float32),
        hurtful=np.array([row["hurtful"] == "yes" for row in rows], dtype=bool),
        people=np.array([row["person"] == "yes" for row in rows], dtype=bool),
    )


@TAGGERS.register("calibrated-words")
class WordTagger:
    """The tag head of a version; it reads the embedding as well."""

    def __init__(self, version: Version, spec: dict[str, Any], device: str) -> None:
        table = read_word_table(version.text(spec["words"]))
        self.input_size = SIDE
        self.model = _model(table, version.arrays(spec["file"]), spec["file"])
        self.colours = [COLOURS.index(word) for word in table.words[table.modelled :]]
        self.rules = Rules(
            words=table.words,
            broader=table.broader,
            thresholds=table.thresholds,
            hurtful=table.hurtful,
            people=table.people,
            person_likely=float(spec["person_likely"]),
            most=int(spec["most"]),
        )

    def __call__(self, features: Features) -> list[list[tuple[str, float]]]:
        """(word, probability) pairs of each photo, most probable first."""
        return self.rules.said(self.probabilities(features))

    def doubtful(self, features: Features, margin: float) -> NDArray[np.bool_]:
        """Photos (B,) whose tags hang on less than `margin` log-odds."""
        return self.rules.doubtful(self.probabilities(features), margin)

    def probabilities(self, features: Features) -> NDArray[np.float32]:
        """Of every word of the table, (B, words); colours are 0 where the pixels are not known."""
        if features.embeddings is None:
            raise ValueError("this tag head reads what the embedding head made of the photos")
        modelled = self.model.probabilities(features, features.embeddings)
        if features.pixels is None:
            coloured = np.zeros((len(features), len(self.colours)), np.float32)
        else:
            coloured = colour_probabilities(features.pixels)[:, self.colours]
        return np.concatenate([modelled, coloured], axis=1)


def _model(table: WordTable, arrays: dict[str, NDArray[Any]], file: str) -> WordModel:
    """The arrays as a model. Raises WeightsError when they are not those of the table's words."""
    wanted = {"prompts", "probe", "weights", "group", "knots", "values"}
    if arrays.keys() - {"taught"} != wanted:
        odd = ", ".join(sorted((arrays.keys() - {"taught"}) ^ wanted))
        raise WeightsError(f"{file} is not a tag head; look at: {odd}.")
    words = table.modelled
    for name in ("prompts", "probe", "weights", "group"):
        if arrays[name].shape[:1] != (words,):
            raise WeightsError(
                f"{name!r} in {file} has the shape {arrays[name].shape}, but the table has "
                f"{words} words."
            )
    if arrays["prompts"].shape != (words, EMBED_DIM) or arrays["weights"].shape != (words, 4):
        raise WeightsError(f"The prompts or weights in {file} do not fit its words.")
    if "taught" in arrays and arrays["taught"].shape != (words, EMBED_DIM + 1):
        raise WeightsError(f"What {file} was taught does not fit its words.")
    if arrays["knots"].ndim != 2 or arrays["knots"].shape != arrays["values"].shape:
        raise WeightsError(f"The curves in {file} do not fit one another.")
    group = arrays["group"].astype(np.int64)
    if words and not 0 <= group.min() <= group.max() < len(arrays["knots"]):
        raise WeightsError(f"{file} puts words into a group that has no curve.")
    rest = {name: arrays[name].astype(np.float32) for name in arrays.keys() - {"group"}}
    return WordModel(fold=table.fold(), group=group, **rest)


def _classes(ranges: str) -> tuple[int, ...]:
    classes = class_ranges(ranges)
    if classes and max(classes) >= CLASSES:
        raise WeightsError(f"There is no ImageNet class {max(classes)}; the last is {CLASSES - 1}.")
    return classes
