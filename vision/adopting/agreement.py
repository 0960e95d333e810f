"""How far the adopted eye says what the active one says, on photos that nothing was fitted to."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from vision.eye import Eye
from vision.sight import Image, Sight
from vision.words import words_of

TOP = 10


def agreement(old: Eye, new: Eye, images: Sequence[Image]) -> dict[str, Any]:
    """Figures between 0 and 1, 1 for the same.

    `embedding_cosine`: of the two embeddings of a photo. `recall@10`: share of photos whose old
    embedding, as a query, has their new one among its nearest ten. `top5_classes`: share of photos
    whose likeliest class is among the new eye's five likeliest. `tags`: mean overlap of the tags
    said (intersection over union). `caption_words`: mean overlap of the captions' words.
    """
    first, second = old.look(images), new.look(images)
    one, other = (np.stack([s.embedding for s in each]) for each in (first, second))
    pairs = list(zip(first, second, strict=True))
    return {
        "photos": len(images),
        "embedding_cosine": _rounded((one * other).sum(axis=1)),
        "recall@10": _rounded(_found(one @ other.T)),
        "top5_classes": _rounded(_classes(old, new, images)),
        "tags": _rounded([_overlap(_tags(a), _tags(b)) for a, b in pairs]),
        "caption_words": _rounded([_overlap(_words(a), _words(b)) for a, b in pairs]),
    }


def _found(scores: np.ndarray) -> np.ndarray:
    own = np.diagonal(scores)[:, None]
    return (scores > own).sum(axis=1) < TOP


def _classes(old: Eye, new: Eye, images: Sequence[Image]) -> np.ndarray:
    meant, guessed = old.features(images).logits, new.features(images).logits
    first = np.take_along_axis(guessed, meant.argmax(axis=1)[:, None], axis=1)
    return (guessed > first).sum(axis=1) < 5


def _overlap(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 1.0


def _tags(sight: Sight) -> set[str]:
    return {name for name, _ in sight.tags}


def _words(sight: Sight) -> set[str]:
    return set(words_of(sight.caption))


def _rounded(values: Any) -> float:
    return round(float(np.mean(values)), 4)
