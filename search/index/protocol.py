"""What any vector index does, whatever engine stands behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search.index.selection import Ids, Selection

if TYPE_CHECKING:
    from search.index.manifest import Manifest

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

    def near(self, vector: ArrayLike, k: int, among: Selection | None = None) -> Ids:
        """About the `k` nearest photos to `vector` (dim,), in no order: for those who score them
        themselves, as exact scores cost more than finding them."""

    def vectors(self, ids: ArrayLike) -> tuple[Ids, Vectors]:
        """Those of `ids` that are in the index, ascending, and their vectors (n, dim)."""

    def __len__(self) -> int: ...


class Snapshot(Protocol):
    """The vectors of one model version as they were at the manifest's high-water mark.

    Where they lie, in files or in a server, is the engine's affair. Safe to search from many
    threads.
    """

    manifest: Manifest

    @property
    def members(self) -> Selection: ...

    def search(self, query: Vectors, k: int, live: Selection) -> tuple[Scores, Ids]:
        """The `k` best of `live`, a subset of `members`, for `query` (dim,), best first; fewer if
        it has fewer."""

    def near(self, query: Vectors, k: int, live: Selection) -> Ids:
        """About the `k` nearest of `live` to `query` (dim,), in no order."""

    def vectors(self, ids: Ids) -> Vectors:
        """Vectors (n, dim) of `ids` (n,), all of them members."""

    def verify(self) -> None:
        """Raise IndexDamaged unless all of it is what was written; searches go on meanwhile."""

    def by_group(self) -> Mapping[int, Selection] | None:
        """The members of each group that the builder told of; None if it told of none."""
