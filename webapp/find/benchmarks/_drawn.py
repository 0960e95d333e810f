"""Embeddings and words drawn to resemble those of real libraries.

`embeddings.npz` was fitted to the embeddings of 31,091 photos (Flickr8k and coco_wide, training
parts, lite2-2026.11): 256 centres with their weights, and the spread around them in 64 directions
and in all others. Of a new photo, the nearest of 31,000 drawn ones has a cosine of 0.55, 0.67, 0.77
(10, 50, 90 %), the nearest of the real ones 0.54, 0.67, 0.77.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.cutoff import GENERIC_QUERIES
from search.words import content_words

FITTED = Path(__file__).with_name("embeddings.npz")
# Real photos lie unevenly far from their centre; this range of factors gives the cosines above.
SPREAD = (0.5, 1.1)
AT_ONCE = 10_000


def photo_vectors(count: int, *, seed: int) -> Iterator[NDArray[np.float32]]:
    """Unit vectors like those of photos, (n, 512) at a time."""
    chance = np.random.default_rng(seed)
    with np.load(FITTED) as fitted:
        parts = {name: fitted[name].astype(np.float32) for name in fitted.files}
    for at in range(0, count, AT_ONCE):
        yield _drawn(parts, min(AT_ONCE, count - at), chance)


def text_like(vectors: NDArray[np.float32], *, seed: int) -> NDArray[np.float32]:
    """Queries from outside: half of each is noise, as texts lie beside photos, not among them."""
    noise = _unit(np.random.default_rng(seed).normal(size=vectors.shape).astype(np.float32))
    return _unit(vectors + noise)


def captions(count: int, *, seed: int) -> list[str]:
    """Short descriptions; common things are common."""
    chance = np.random.default_rng(seed)
    share = 1 / np.arange(1, len(GENERIC_QUERIES) + 1)
    pairs = chance.choice(len(GENERIC_QUERIES), (count, 2), p=share / share.sum())
    return [f"{GENERIC_QUERIES[a]} and {GENERIC_QUERIES[b]}" for a, b in pairs]


def tags(caption: str) -> list[str]:
    """Tags of a photo with this caption."""
    return [word.text for word in content_words(caption)][:3]


def _drawn(
    parts: dict[str, NDArray[np.float32]], count: int, chance: np.random.Generator
) -> NDArray[np.float32]:
    centres, directions = parts["centres"], parts["directions"]
    nearest = chance.choice(len(centres), count, p=parts["weights"] / parts["weights"].sum())
    along = chance.standard_normal((count, len(directions)), np.float32) * parts["spreads"]
    around = chance.standard_normal((count, centres.shape[1]), np.float32) * parts["rest"]
    factor = chance.uniform(*SPREAD, (count, 1)).astype(np.float32)
    return _unit(centres[nearest] + factor * (along @ directions + around))


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
