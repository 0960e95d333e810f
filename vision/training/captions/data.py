"""What the caption decoder learns from, in numbers: sentences alone, and photos with sentences.

Shapes: P photos, K captions of each, T words, N cells, C channels.
"""

import gzip
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vision.collection import Collection
from vision.heads.polyglot import END, SPECIAL, UNKNOWN, Photos
from vision.training.features import PARTS, FeatureCache
from vision.words import WORD, words_of

MAX_WORDS = 20
NO_WORD = -100  # what cross_entropy ignores

# In whose manner each collection is written: the number of its start among SPECIAL.
MANNERS = {
    ("flickr8k", "en"): SPECIAL["en"].index("<flickr8k>"),
    ("coco_wide", "en"): SPECIAL["en"].index("<coco_wide>"),
    ("flickr8k", "de"): SPECIAL["de"].index("<german>"),
}
FIRST_MANNER = 2  # of every language, and of collections that have none of their own

CORPORA = {
    "en": ("flickr30k.en.txt.gz", "coco_val2017.en.txt.gz"),
    "de": ("flickr30k.de.txt.gz",),
}

# Words that a mirrored photo turns into each other.
MIRRORED = (
    ("left", "right"),
    ("links", "rechts"),
    ("linke", "rechte"),
    ("linken", "rechten"),
    ("linker", "rechter"),
    ("linkes", "rechtes"),
)


@dataclass(frozen=True)
class Vocabulary:
    """The words of one language, special ones first, then the most frequent first."""

    words: list[str]  # lower case

    @cached_property
    def number_of(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words)}

    @cached_property
    def mirrored(self) -> NDArray[np.int64]:
        """The number of each word in the caption of a mirrored photo."""
        numbers, mine = np.arange(len(self.words)), self.number_of
        for pair in MIRRORED:
            if all(word in mine for word in pair):
                left, right = (mine[word] for word in pair)
                numbers[[left, right]] = right, left
        return numbers

    def numbers(self, caption: str) -> NDArray[np.int64]:
        """(MAX_WORDS + 1,): the words, END and padding; a longer caption has no END."""
        words = [self.number_of.get(word, UNKNOWN) for word in words_of(caption)]
        numbers = np.full(MAX_WORDS + 1, NO_WORD)
        sentence = [*words, END][: MAX_WORDS + 1]
        numbers[: len(sentence)] = sentence
        return numbers


def build_vocabulary(
    captions: Iterable[str], *, language: str = "en", fewest_uses: int
) -> Vocabulary:
    """Words used often enough in captions of photos."""
    counts = Counter(word for caption in captions for word in words_of(caption))
    kept = [word for word, uses in counts.items() if uses >= fewest_uses]
    return Vocabulary([*SPECIAL[language], *sorted(kept, key=lambda word: (-counts[word], word))])


def spellings(vocabulary: Vocabulary, captions: Iterable[str]) -> list[str]:
    """Each word as it is mostly written inside a sentence: German nouns get their capitals."""
    forms: dict[str, Counter[str]] = {}
    for caption in captions:
        for word in WORD.findall(caption)[1:]:
            forms.setdefault(word.lower(), Counter())[word] += 1
    return [
        forms[word].most_common(1)[0][0] if word in forms else word for word in vocabulary.words
    ]


@dataclass(frozen=True, slots=True)
class Sentences:
    """Sentences of one language, shortest first."""

    language: str
    numbers: NDArray[np.int16]  # (sentences, MAX_WORDS + 1)

    def draw(self, count: int, rng: np.random.Generator) -> Tensor:
        """(count, T) sentences of about one length, so that little is padding."""
        first = int(rng.integers(max(1, len(self.numbers) - count)))
        words = self.numbers[first : first + count].astype(np.int64)
        return torch.from_numpy(words[:, : int((words != NO_WORD).sum(axis=1).max())])


def load_sentences(
    folder: Path, language: str, vocabulary: Vocabulary, *, seed: int
) -> Sentences | None:
    """The caption corpora of a language, or None where there are none."""
    files = [folder / name for name in CORPORA[language] if (folder / name).is_file()]
    texts = [line for file in files for line in read_lines(file)]
    if not texts:
        return None
    numbers = np.stack([vocabulary.numbers(text) for text in texts]).astype(np.int16)
    numbers = np.random.default_rng(seed).permutation(numbers)
    return Sentences(language, numbers[np.argsort((numbers != NO_WORD).sum(axis=1), kind="stable")])


def read_lines(file: Path) -> list[str]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return lines.read().splitlines()


@dataclass(frozen=True, slots=True)
class Views:
    """Every view of all photos of a split, as float16."""

    names: list[str]
    grids: list[NDArray[np.float16]]  # each view (photos, N, C)
    wholes: list[NDArray[np.float16]]  # each view (photos, pooled + stride16 + classes)
    logits: NDArray[np.float16]  # of the first view, (photos, classes)

    def photos(self, rows: Sequence[int] | NDArray[np.int64], view: int = 0) -> Photos:
        return Photos(
            torch.from_numpy(self.grids[view][rows]).float(),
            torch.from_numpy(self.wholes[view][rows]).float(),
        )


def load_views(
    cache: FeatureCache, collection: Collection, split: str, views: Sequence[str]
) -> Views:
    """Cached features of a split."""
    grids, wholes, logits = [], [], []
    for view in views:
        parts = {part: cache.load(collection, split, part, view) for part in PARTS}
        no_grid = parts["grid"][:0]
        photos = Photos.of(parts["pooled"], parts["stride16"], no_grid, parts["logits"])
        grids.append(parts["grid"].reshape(len(parts["grid"]), -1, parts["grid"].shape[-1]))
        wholes.append(photos.whole.numpy().astype(np.float16))
        logits.append(parts["logits"])
    return Views(cache.names(collection, split), grids, wholes, logits[0])


@dataclass(frozen=True, slots=True)
class Task:
    """Photos of one collection with captions in one language."""

    name: str  # "flickr8k.en"
    language: str
    start: int
    views: Views
    rows: NDArray[np.int64]  # the photos that have captions, (P,)
    captions: list[NDArray[np.int64]]  # of each of them (K, MAX_WORDS + 1)
    mirrored: NDArray[np.int64]  # see Vocabulary

    def draw(
        self, count: int, most_a_photo: int, rng: np.random.Generator
    ) -> tuple[Photos, Tensor]:
        """`count` captions: photos and words (P, K, T)."""
        each = min(most_a_photo, min(len(own) for own in self.captions))
        chosen, photos, view = self.draw_photos(max(1, count // each), rng)
        words = np.stack([rng.choice(self.captions[row], each, False) for row in chosen])
        words = words[..., : int((words != NO_WORD).sum(axis=-1).max())]
        if view:
            words = np.where(words >= 0, self.mirrored[words.clip(0)], words)
        return photos, torch.from_numpy(words)

    def draw_photos(
        self, count: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], Photos, int]:
        """Numbers of photos in this task, the photos, and which view it is."""
        chosen = np.sort(rng.choice(len(self.rows), min(count, len(self.rows)), False))
        view = int(rng.integers(len(self.views.grids)))
        return chosen, self.views.photos(self.rows[chosen], view), view


def make_task(
    collection: str,
    language: str,
    captions: Mapping[str, Sequence[str]],
    views: Views,
    vocabulary: Vocabulary,
) -> Task:
    """Those of `captions`, by photo name, whose photos are in `views`."""
    rows = [row for row, name in enumerate(views.names) if name in captions]
    return Task(
        name=f"{collection}.{language}",
        language=language,
        start=MANNERS.get((collection, language), FIRST_MANNER),
        views=views,
        rows=np.array(rows),
        captions=[
            np.stack([vocabulary.numbers(text) for text in captions[views.names[row]]])
            for row in rows
        ],
        mirrored=vocabulary.mirrored,
    )


def set_aside(names: Sequence[str], count: int) -> set[str]:
    """Photos to judge by that no step sees: chosen by their names, at most a tenth."""
    ordered = sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())
    return set(ordered[: min(count, len(names) // 10)])
