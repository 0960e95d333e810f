"""What any vector index does, whatever engine stands behind it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search.index.selection import Ids, Selection

Vectors = NDArray[np.float32]
Scores = NDArray[np.float32]


class VectorIndex(Protocol):
    """Unit vectors by photo id, searched by inner product (their cosine).

    Safe to use from several threads at once; a search sees the index as it was when the search
    began.
    """

    def add(self, ids: ArrayLike, vectors: ArrayLike) -> None:
        """Put `vectors` (n, dim) under `ids` (n,), replacing those already there.

        They are searchable when this returns. Ids are at least 0.
        """

    def remove(self, ids: ArrayLike) -> None:
        """Forget `ids`; those not in the index are ignored."""

    def search(
        self, vectors: ArrayLike, k: int, among: Selection | None = None
    ) -> tuple[Scores, Ids]:
        """The `k` best photos for each of `vectors` (q, dim), best first.

        Returns scores (q, k) and ids (q, k). `among` limits the candidates; there are `k` results
        whenever there are `k` candidates, otherwise rows end in id -1 with score -inf.
        """
