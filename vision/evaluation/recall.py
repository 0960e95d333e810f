"""recall@k between photos and captions, where a photo may have several captions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

KS = (1, 5, 10)
CHUNK = 1024


def text_to_image(
    texts: NDArray[np.float32], images: NDArray[np.float32], photo_of_text: NDArray[np.int64]
) -> dict[str, float]:
    """For each text: is its photo among the first k? texts (n, d), images (m, d), unit norm."""
    nothing = np.array([], dtype=np.int64)
    ranks = [
        _ranks(texts[start : start + CHUNK] @ images.T, photo_of_text[start : start + CHUNK])
        for start in range(0, len(texts), CHUNK)
    ]
    return recall_at(np.concatenate([nothing, *ranks]))


def image_to_text(
    texts: NDArray[np.float32], images: NDArray[np.float32], photo_of_text: NDArray[np.int64]
) -> dict[str, float]:
    """For each photo that has a text: is any of its texts among the first k?"""
    scores = images @ texts.T
    own = photo_of_text[None, :] == np.arange(len(images))[:, None]
    described = own.any(axis=1)
    best_own = np.where(own, scores, -np.inf).max(axis=1, keepdims=True)
    ranks = (scores > best_own).sum(axis=1)
    return recall_at(ranks[described])


def recall_at(ranks: NDArray[np.int64], ks: Sequence[int] = KS) -> dict[str, float]:
    """Share of ranks (0 is best) below each k; nothing to rank is 0."""
    return {f"recall@{k}": float((ranks < k).mean()) if len(ranks) else 0.0 for k in ks}


def _ranks(scores: NDArray[np.float32], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many scored better than the right one. Ties are counted in its favour."""
    own = np.take_along_axis(scores, right[:, None], axis=1)
    return (scores > own).sum(axis=1)
