"""What a tag head thinks of photos beyond what it says: the probability of every word."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from vision.collection import Collection
from vision.eye import LOOK_BATCH, Eye
from vision.heads.saying import Rules, Said
from vision.heads.word_tags import WordTagger


@dataclass(frozen=True, slots=True)
class Probable:
    """Probabilities (photos, words) of a version's words, and the rules by which they are said."""

    photos: dict[str, int]
    words: tuple[str, ...]
    probabilities: NDArray[np.float32]
    rules: Rules

    def of(self, names: Sequence[str]) -> NDArray[np.float32]:
        """The rows of these photos."""
        return self.probabilities[[self.photos[name] for name in names]]

    def said_of(self, names: Sequence[str], *, spare: bool) -> list[Said]:
        """What is said of these photos; without `spare` also what would hurt people."""
        rules = self.rules if spare else self.rules.without_mercy()
        return rules.said(self.of(names))


def look_at_tags(collection: Collection, split: str, eye: Eye) -> Probable | None:
    """Every photo of a split, by the backbone and the tag head alone; None for a head that has no
    probabilities of words to show."""
    if not isinstance(eye.tag, WordTagger):
        return None
    photos = collection.photos(split)
    names: list[str] = []
    found = []
    while batch := list(islice(photos, LOOK_BATCH)):
        names += [name for name, _ in batch]
        features = eye.see([image for _, image in batch])
        found.append(eye.tag.probabilities(features))
    rows = {name: row for row, name in enumerate(names)}
    return Probable(rows, eye.tag.rules.words, np.concatenate(found), eye.tag.rules)
