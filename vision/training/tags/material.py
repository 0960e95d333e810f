"""What the tag head learns from: photos, what three witnesses say of them, and what people wrote.

Captioned photos teach all words, but leave things out; photos of one label each (rooms, animals,
documents) teach words that captions seldom have.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.backbones.base import Features
from vision.collection import Collection
from vision.evaluation.tag_truth import (
    Truth,
    complete_words,
    judged_by_labels,
    mentioned,
    truth,
    written_about,
)
from vision.heads import Embedder
from vision.training.features import FeatureCache
from vision.training.tags.looked import looked_at, looks
from vision.vocabulary import broader_words

EMBED_BATCH = 512


@dataclass(frozen=True, slots=True)
class TagPhotos:
    """P photos of one collection and W words.

    `inputs` are pooled and stride-16 features, (P, F) float16, one array a view; `shown` says what
    is named; `right` also allows narrow names; `judged` (W,) which words anything is known of, and
    `complete` (W,) which of them are named whenever they are there. `captions` is how many captions
    a photo has. `looks` (P, W) is what somebody who looked says, see `vision.training.tags.looked`.
    """

    name: str
    inputs: tuple[NDArray[np.float16], ...]
    logits: NDArray[np.float16]
    embeddings: NDArray[np.float16]
    shown: NDArray[np.bool_]
    right: NDArray[np.bool_]
    judged: NDArray[np.bool_]
    complete: NDArray[np.bool_]
    captions: int
    looks: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.logits)

    @property
    def told(self) -> NDArray[np.bool_]:
        """What is named, or was seen by somebody who looked: their word outranks a caption's."""
        told: NDArray[np.bool_] = np.where(self.looks != 0, self.looks > 0, self.shown)
        return told

    @property
    def known(self) -> NDArray[np.bool_]:
        """Of which words (P, W) it is known whether photos show them."""
        known: NDArray[np.bool_] = self.judged | self.told | (self.looks != 0)
        return known


def tag_photos(
    cache: FeatureCache,
    collection: Collection,
    split: str,
    *,
    embedder: Embedder,
    words: Sequence[str],
    views: Sequence[str] = ("plain",),
) -> TagPhotos:
    """One collection's photos of a split, from cached features, and what they show of `words`."""
    names = cache.names(collection, split)
    members = _members(collection, split, names)
    written_by = written_about(collection, split, [names[row] for row in members])
    facts = truth(written_by).among(words)
    inputs = tuple(
        np.concatenate(
            [cache.load(collection, split, part, view)[members] for part in ("pooled", "stride16")],
            axis=1,
        )
        for view in views
    )
    captions = max(len(each.captions) for each in written_by)
    looked = looks(looked_at(), collection.name, [names[row] for row in members], words)
    return TagPhotos(
        name=collection.name,
        inputs=inputs,
        logits=cache.load(collection, split, "logits", "plain")[members],
        embeddings=_embeddings(cache, collection, split, members, embedder),
        shown=facts.shown,
        right=facts.right,
        judged=_judged(facts, captions),
        complete=complete_words(facts, written_by),
        captions=captions,
        looks=looked,
    )


def single_mentions(collection: Collection, split: str, words: Sequence[str]) -> Sequence[float]:
    """For each word: of the captions of photos of which any caption names it, the share that does.

    What one person leaves out, of what one of several people mention. Words that are never named
    have NaN.
    """
    place = {word: number for number, word in enumerate(words)}
    named, asked = np.zeros(len(words)), np.zeros(len(words))
    for captions in collection.captions(split).values():
        counts = np.zeros(len(words))
        for text in captions:
            own = {above for word in mentioned(text) for above in (word, *broader_words(word))}
            counts[[place[word] for word in own]] += 1
        named += counts
        asked += len(captions) * (counts > 0)
    with np.errstate(invalid="ignore"):
        shares: list[float] = (named / asked).tolist()
    return shares


def _members(collection: Collection, split: str, names: Sequence[str]) -> NDArray[np.int64]:
    """Rows of the cache that belong to the split: a shared tar holds those of all splits."""
    labels = collection.labels(split)
    if labels is None or collection.has_captions("en"):
        return np.arange(len(names))
    return np.array([row for row, name in enumerate(names) if name in labels])


def _embeddings(
    cache: FeatureCache,
    collection: Collection,
    split: str,
    members: NDArray[np.int64],
    embedder: Embedder,
) -> NDArray[np.float16]:
    parts = [
        cache.load(collection, split, part, "plain")
        for part in ("pooled", "stride16", "grid", "logits")
    ]
    found = []
    for start in range(0, len(members), EMBED_BATCH):
        rows = members[start : start + EMBED_BATCH]
        features = Features(*(part[rows].astype(np.float32) for part in parts))
        found.append(embedder(features).astype(np.float16))
    return np.concatenate(found)


def _judged(facts: Truth, captions: int) -> NDArray[np.bool_]:
    return np.ones(len(facts.words), dtype=bool) if captions else judged_by_labels(facts)
