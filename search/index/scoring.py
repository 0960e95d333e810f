"""Exact scores and the best of them."""

from __future__ import annotations

import numpy as np

from search.index.protocol import Scores, Vectors
from search.index.selection import Ids


def as_stored(vectors: object) -> Vectors:
    """`vectors` rounded to the float16 in which sights and bases hold them, as float32.

    A photo then scores the same whether it is found in the base or in the delta.
    """
    return np.asarray(vectors, np.float16).astype(np.float32)


def inner_products(vectors: Vectors, query: Vectors) -> Scores:
    """Scores (n,) of `vectors` (n, dim) for `query` (dim,), in this thread alone: BLAS would share
    out a matrix product, and waiting for its other threads takes 20 ms on a busy machine."""
    return np.vecdot(vectors, query)


def best(scores: Scores, ids: Ids, k: int) -> tuple[Scores, Ids]:
    """The `k` highest of `scores` (n,) with their `ids`, ties by id; fewer if n < k."""
    if 0 < k < scores.size:
        kth_highest = np.partition(scores, scores.size - k)[scores.size - k]
        kept = scores >= kth_highest
        scores, ids = scores[kept], ids[kept]
    order = np.lexsort((ids, -scores))[:k]
    return scores[order], ids[order]


def nothing() -> tuple[Scores, Ids]:
    return np.zeros(0, np.float32), np.zeros(0, np.int64)
