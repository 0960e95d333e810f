"""What changed since the base was made: few vectors, in memory, scored exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.index.protocol import Scores, Vectors
from search.index.scoring import best, inner_products, nothing
from search.index.selection import Ids, Selection

ROOM_FOR = 64  # rows at first; doubled when full


@dataclass(frozen=True, slots=True)
class Delta:
    """One state of the delta; changing it makes the next.

    States share one growing buffer: a newer one writes only behind the rows an older one counts,
    so readers of an older state are undisturbed. That holds for one line of descent, which the
    index's lock ensures.
    """

    buffer: Vectors  # (capacity, dim)
    ids: Ids  # (capacity,)
    alive: NDArray[np.bool_]  # (rows,) False: replaced or removed since

    @classmethod
    def empty(cls, dim: int) -> Delta:
        return cls(
            np.empty((ROOM_FOR, dim), np.float32), np.empty(ROOM_FOR, np.int64), np.zeros(0, bool)
        )

    def __len__(self) -> int:
        return int(self.alive.sum())

    @property
    def rows(self) -> int:
        return self.alive.size

    def adding(self, ids: Ids, vectors: Vectors) -> Delta:
        """The state with `vectors` (n, dim) under the distinct `ids` (n,)."""
        roomy = self.removing(ids)._with_room_for(ids.size)
        end = roomy.rows + ids.size
        roomy.buffer[roomy.rows : end] = vectors
        roomy.ids[roomy.rows : end] = ids
        alive = np.concatenate([roomy.alive, np.ones(ids.size, bool)])
        return Delta(roomy.buffer, roomy.ids, alive)

    def removing(self, ids: Ids) -> Delta:
        """The state without `ids`."""
        return Delta(self.buffer, self.ids, self.alive & ~np.isin(self.ids[: self.rows], ids))

    def search(self, query: Vectors, k: int, among: Selection | None) -> tuple[Scores, Ids]:
        """The `k` best for `query` (dim,), fewer if there are fewer candidates."""
        candidates = self.alive
        if among is not None:
            candidates = candidates & among.contains(self.ids[: self.rows])
        rows = np.flatnonzero(candidates)
        if not rows.size:
            return nothing()
        scores = inner_products(self.buffer[: self.rows], query)
        return best(scores[rows], self.ids[rows], k)

    def members(self) -> Ids:
        return self.ids[: self.rows][self.alive]

    def vectors(self, ids: Ids) -> Vectors:
        """Vectors (n, dim) of `ids` (n,), all of them members."""
        rows = np.flatnonzero(self.alive)
        order = rows[np.argsort(self.ids[rows])]
        return self.buffer[order[np.searchsorted(self.ids[order], ids)]]

    def _with_room_for(self, extra: int) -> Delta:
        """This state, in a new and larger buffer without dead rows if the old one is full."""
        if self.rows + extra <= len(self.ids):
            return self
        kept = np.flatnonzero(self.alive)
        capacity = max(ROOM_FOR, 2 * (kept.size + extra))
        buffer = np.empty((capacity, self.buffer.shape[1]), np.float32)
        ids = np.empty(capacity, np.int64)
        buffer[: kept.size], ids[: kept.size] = self.buffer[kept], self.ids[kept]
        return Delta(buffer, ids, np.ones(kept.size, bool))
