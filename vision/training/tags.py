"""Choose how sure the tag head must be before it says a word.

Tags need no training, but thresholds: for each word the lowest one at which captions and labels of
training photos agree often enough. A word that is rarely right gets a threshold it hardly reaches.
"""

import csv
import gzip
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision.collection import Collection
from vision.words import words_of

WORDS = Path(__file__).with_name("tag_words.csv")


@dataclass(frozen=True, slots=True)
class TagCalibration:
    """How right a word must be. Captions leave things out, so this is stricter than it looks."""

    right: float = 0.9  # share of photos so tagged whose captions or labels name the word
    fewest: int = 10  # photos that must carry the tag for a share to mean something
    unmeasured: float = 0.6  # threshold of words too rare in the training photos to judge
    lowest: float = 0.25
    narrow: float = 0.6  # at least this for a breed or model, whose name captions seldom give
    mute: float = 0.97  # threshold of words that are wrong too often


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


def thresholds(
    words: Sequence[TagWord],
    probabilities: NDArray[np.float32],
    shown: Mapping[str, NDArray[np.bool_]],
    config: TagCalibration,
) -> dict[str, float]:
    """The threshold of each word; probabilities (photos, words), `shown` as `truths` gives it.

    Captions say "dog", hardly ever "beagle": a word two levels below another is judged by whether
    there is a dog at all, and must be likely by itself.
    """
    broader_of = {each.word: each.broader for each in words}
    chosen = {}
    for each, probability in zip(words, probabilities.T, strict=True):
        narrow = bool(each.broader and broader_of[each.broader])
        judge = each.broader if narrow else each.word
        threshold = _threshold(probability, shown[judge], config)
        chosen[each.word] = max(threshold, config.narrow) if narrow else threshold
    return chosen


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


def _threshold(
    probability: NDArray[np.float32], shown: NDArray[np.bool_], config: TagCalibration
) -> float:
    order = np.argsort(-probability)
    likely = probability[order] >= config.lowest
    if likely.sum() < config.fewest:
        return config.unmeasured
    counts = np.arange(1, len(order) + 1)
    right = np.cumsum(shown[order]) / counts
    good = np.flatnonzero(likely & (counts >= config.fewest) & (right >= config.right))
    if not len(good):
        return config.mute
    return round(float(np.clip(probability[order[good[-1]]], config.lowest, config.mute)), 3)
