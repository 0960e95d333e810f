"""Photos and what was said of them, drawn in batches: captions, single words of them, and labels.

A batch is photos, texts and which text is true of which photo. One caption is true of one photo; a
word is true of every photo that has it, so that a batch may hold several dogs.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vision.words import words_of

Rows = NDArray[np.int64]

# Prompts by which a single word is asked for as well; the bare word counts most in the product.
PROMPTS = ("{}", "a photo of a {}", "{}s", "{} in a photo")

# Words that captions need and nobody searches for.
_SAYS_NOTHING = (
    "the and with for are his her their its from into over that this them they she has have had "
    "while there out who which some one two three four five another other each both very near next "
    "front being can could will does doing did not than then too also only same all many several "
    "few lot couple group off around through behind between onto across along against under above "
    "below beside toward towards during getting get gets got made make makes making goes going "
    "pose posing posed looking looks look appears seen shown showing shows using used use takes "
    "taking take taken was were been down what where about your you our him themselves himself "
    "photo picture image"
)
SAYS_NOTHING = frozenset(_SAYS_NOTHING.split())
FEWEST_USES = 8


class Batch(NamedTuple):
    """Descriptions (photos, F), sentence features (texts, E), and what is true (photos, texts)."""

    described: Tensor
    sentences: Tensor
    true: Tensor


class Stream(Protocol):
    """Something that batches are drawn from."""

    def draw(self, count: int, rng: np.random.Generator) -> Batch: ...


@dataclass(frozen=True, slots=True)
class Photos:
    """Descriptions of photos, one array (photos, F) float16 a view."""

    views: Sequence[NDArray[np.float16]]

    def __len__(self) -> int:
        return len(self.views[0])

    def look(self, rows: Rows, rng: np.random.Generator) -> Tensor:
        """Some photos, each in any view, (rows, F) float32."""
        view_of = rng.integers(len(self.views), size=len(rows))
        looked = np.empty((len(rows), self.views[0].shape[1]), np.float32)
        for number, view in enumerate(self.views):
            mine = np.flatnonzero(view_of == number)
            looked[mine] = view[rows[mine]]
        return torch.from_numpy(looked)


@dataclass(frozen=True, slots=True)
class Captioned:
    """Photos and the sentence features (captions, E) of their captions."""

    photos: Photos
    sentences: Tensor
    captions_of: Sequence[Rows]  # rows of `sentences` for each photo

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Different photos, each with one of its captions."""
        rows = rng.choice(len(self.photos), min(count, len(self.photos)), replace=False)
        captions = [rng.choice(self.captions_of[row]) for row in rows]
        own = torch.eye(len(rows), dtype=torch.bool)
        return Batch(self.photos.look(rows, rng), self.sentences[captions], own)


@dataclass(frozen=True)
class Named:
    """Photos and the names that are true of each; `sentences` (names, prompts, E).

    `all_names`: every name is asked in every batch (labels), or only those that its photos were
    drawn for (words of captions). Rare names are drawn more often than their photos are.
    """

    photos: Photos
    names_of: Sequence[Rows]
    sentences: Tensor
    all_names: bool = False
    _has: NDArray[np.bool_] = field(init=False)
    _rarity: NDArray[np.float64] = field(init=False)
    _weight: NDArray[np.float64] = field(init=False)  # of each photo: of its rarest name

    def __post_init__(self) -> None:
        has = np.zeros((len(self.photos), len(self.sentences)), bool)
        for photo, names in enumerate(self.names_of):
            has[photo, names] = True
        object.__setattr__(self, "_has", has)
        rarity = 1 / np.sqrt(has.sum(axis=0) + 1.0)
        weight = [rarity[names].max() if len(names) else 0.0 for names in self.names_of]
        object.__setattr__(self, "_rarity", rarity)
        object.__setattr__(self, "_weight", np.array(weight))

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Different photos that have a name, and names of theirs in any prompt."""
        count = min(count, max(1, int((self._weight > 0).sum()) // 2))
        chance = self._weight / self._weight.sum()
        rows = rng.choice(len(chance), count, replace=False, p=chance)
        names = np.arange(len(self.sentences)) if self.all_names else self._asked(rows, rng)
        prompts = rng.integers(self.sentences.shape[1], size=len(names))
        true_BW = torch.from_numpy(self._has[np.ix_(rows, names)])
        return Batch(self.photos.look(rows, rng), self.sentences[names, prompts], true_BW)

    def _asked(self, rows: Rows, rng: np.random.Generator) -> Rows:
        """One name of each photo, rather a rare one; without repetition."""
        asked = set()
        for row in rows:
            chance = self._rarity[self.names_of[row]]
            asked.add(int(rng.choice(self.names_of[row], p=chance / chance.sum())))
        return np.array(sorted(asked))


def speaking_words(captions: Sequence[Sequence[str]]) -> tuple[list[str], list[Rows]]:
    """The words of captions that a person might search for, and those of each photo."""
    own = [{word for text in texts for word in words_of(text)} for texts in captions]
    uses = Counter(word for words in own for word in words)
    kept = sorted(word for word, count in uses.items() if count >= FEWEST_USES and _speaks(word))
    number = {word: place for place, word in enumerate(kept)}
    return kept, [np.array(sorted(number[w] for w in words if w in number), int) for words in own]


def prompted(names: Sequence[str]) -> list[str]:
    """Every name in every prompt, name by name."""
    return [prompt.format(name) for name in names for prompt in PROMPTS]


def _speaks(word: str) -> bool:
    return len(word) > 2 and word.isalpha() and word not in SAYS_NOTHING
