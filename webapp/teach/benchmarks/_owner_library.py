"""The library of a simulated owner: photos that nobody trained on, and what they truly show."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision.backbones.base import Features
from vision.collection import Collection
from vision.errors import DataMissing
from vision.evaluation.tag_truth import Truth, Written, truth, written_about
from vision.evaluation.tags import count_tags, judged_words
from vision.eye import Eye
from vision.training.features import FeatureCache
from vision.versions import Version
from vision.vocabulary import vocabulary

COLLECTIONS = (
    ("flickr8k", "dev"),
    ("coco_wide", "dev"),
    ("caltech101", "test"),
    ("scenes", "test"),
)
PARTS = ("pooled", "stride16", "grid", "logits")


@dataclass(frozen=True)
class Library:
    """P photos: features, embeddings, what they show of W words, which words of each photo are
    judged, and the owner's own word for each ("" for none)."""

    features: Features
    embeddings: NDArray[np.float32]
    facts: Truth
    judged: NDArray[np.bool_]
    own: list[str]

    def __len__(self) -> int:
        return len(self.own)

    def rates(
        self, said: Sequence[Sequence[str]], rows: Iterable[int], named: Iterable[str] = ()
    ) -> dict[str, float]:
        """Precision and recall of what is said of some photos; of own words apart as well, and of
        those among them that were `named`."""
        chosen = np.array(sorted(rows))
        counts = np.zeros((len(self.facts.words), 4), np.int64)
        for mask in np.unique(self.judged[chosen], axis=0):  # photos of one kind are judged alike
            own = chosen[(self.judged[chosen] == mask).all(axis=1)]
            part = Truth(self.facts.words, self.facts.shown[own], self.facts.right[own])
            counts += count_tags([said[row] for row in own], part) * mask[:, None]
        every, own_counts, named_counts = (
            counts[np.isin(self.facts.words, sorted(words))].sum(axis=0)
            for words in (set(self.facts.words), set(self.own), set(self.own) & set(named))
        )
        return {
            "precision": _share(every[0], every[1]),
            "recall": _share(every[2], every[3]),
            "own_precision": _share(own_counts[0], own_counts[1]),
            "own_recall": _share(own_counts[2], own_counts[3]),
            "named_recall": _share(named_counts[2], named_counts[3]),
        }


def read_library(data: Path, version: Version, eye: Eye, work: Path) -> Library:
    """Look at every photo once; features are kept in `work`. Raises DataMissing."""
    spec = version.part("backbone")
    cache = FeatureCache(work, version.path(spec["onnx"]), int(spec["input_size"]))
    parts: dict[str, list[NDArray[np.float32]]] = {part: [] for part in PARTS}
    written: list[list[Written]] = []
    for name, split in COLLECTIONS:
        collection = Collection(data / name)
        cache.extract(collection, split, ("plain",))
        members, own = _members(cache, collection, split)
        written.append(own)
        for part in PARTS:
            loaded = cache.load(collection, split, part, "plain")
            parts[part].append(loaded[members].astype(np.float32))
    if not written:
        raise DataMissing(f"There are no photos in {data}.")
    features = Features(*(np.concatenate(parts[part]) for part in PARTS))
    return _library(features, eye, written)


def own_word(photo: Written) -> str:
    """What the owner calls the subject of a labelled photo, where no vocabulary has a word."""
    if photo.captions or len(photo.labels) != 1:
        return ""
    name = photo.labels[0].lower()
    known = vocabulary()
    return "" if name in known or name.removesuffix("s") in known else name


def _library(features: Features, eye: Eye, written: Sequence[Sequence[Written]]) -> Library:
    photos = [photo for group in written for photo in group]
    own = [own_word(photo) for photo in photos]
    facts = truth(photos, others=sorted(set(own) - {""}))
    mine = np.array([word not in vocabulary() for word in facts.words])
    judged, start = [], 0
    for group in written:
        end = start + len(group)
        part = Truth(facts.words, facts.shown[start:end], facts.right[start:end])
        judged.append(np.tile(judged_words(part, group) | mine, (len(group), 1)))
        start = end
    embeddings = [eye.embed(features.rows(s, s + 256)) for s in range(0, len(photos), 256)]
    return Library(features, np.concatenate(embeddings), facts, np.concatenate(judged), own)


def _members(
    cache: FeatureCache, collection: Collection, split: str
) -> tuple[NDArray[np.int64], list[Written]]:
    """Rows of the cache that belong to the split, and what is written about them."""
    names = cache.names(collection, split)
    labels = None if collection.has_captions("en") else collection.labels(split)
    rows = [n for n, name in enumerate(names) if labels is None or name in labels]
    return np.array(rows), written_about(collection, split, [names[row] for row in rows])


def _share(part: int, whole: int) -> float:
    return float(part / whole) if whole else 0.0
