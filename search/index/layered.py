"""An immutable base, in files or in a server, and an exact delta over it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search.index.delta import Delta
from search.index.protocol import Scores, Snapshot, Vectors
from search.index.scoring import as_stored, best
from search.index.selection import Ids, Selection


@dataclass(frozen=True, slots=True)
class _State:
    """What one search sees: replaced as a whole, never changed."""

    live: Selection  # members of the base that the delta neither replaces nor removes
    delta: Delta


class LayeredIndex:
    """`VectorIndex` over a base, or over nothing yet.

    Writers take turns; readers never wait, each searches the state it found.
    """

    def __init__(self, base: Snapshot | None = None, *, dim: int = 512) -> None:
        self.base = base
        self.dim = base.manifest.dim if base else dim
        self._writing = threading.Lock()
        live = base.members if base else Selection.of([])
        self._state = _State(live, Delta.empty(self.dim))

    def __len__(self) -> int:
        return len(self._state.live) + len(self._state.delta)

    @property
    def delta_rows(self) -> int:
        """Rows in memory, dead ones included: what the next base would save."""
        return self._state.delta.rows

    def add(self, ids: ArrayLike, vectors: ArrayLike) -> None:
        """Put `vectors` (n, dim) under `ids` (n,); of an id given twice, the last counts."""
        given = np.asarray(ids, np.int64).reshape(-1)
        rows = as_stored(vectors).reshape(given.size, self.dim)
        if given.size and given.min() < 0:
            raise ValueError("Photo ids are at least 0; FAISS reserves -1.")
        distinct, from_end = np.unique(given[::-1], return_index=True)
        latest = rows[::-1][from_end]
        known = self._in_base(distinct, latest)
        with self._writing:
            live = self._state.live.removing(distinct).adding(distinct[known])
            delta = self._state.delta.removing(distinct)
            self._state = _State(live, delta.adding(distinct[~known], latest[~known]))

    def remove(self, ids: ArrayLike) -> None:
        unwanted = np.asarray(ids, np.int64).reshape(-1)
        unwanted = unwanted[unwanted >= 0]
        with self._writing:
            live, delta = self._state.live, self._state.delta
            self._state = _State(live.removing(unwanted), delta.removing(unwanted))

    def vectors(self, ids: ArrayLike) -> tuple[Ids, Vectors]:
        """Those of `ids` that are in the index, ascending, and their vectors (n, dim)."""
        asked = np.unique(np.asarray(ids, np.int64))
        state = self._state
        in_delta = asked[np.isin(asked, state.delta.members())]
        in_base = asked[state.live.contains(asked)]
        found = [state.delta.vectors(in_delta)]
        if self.base is not None:
            found.append(self.base.vectors(in_base))
        known = np.concatenate([in_delta, in_base])
        order = np.argsort(known)
        return known[order], np.concatenate(found)[order]

    def search(
        self, vectors: ArrayLike, k: int, among: Selection | None = None
    ) -> tuple[Scores, Ids]:
        queries = np.asarray(vectors, np.float32).reshape(-1, self.dim)
        state = self._state
        if among is not None:
            state = replace(state, live=state.live & among)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        ids = np.full((len(queries), k), -1, np.int64)
        for row, query in enumerate(queries):
            found_scores, found_ids = self._best(state, query, k, among)
            scores[row, : found_ids.size] = found_scores
            ids[row, : found_ids.size] = found_ids
        return scores, ids

    def near(self, vector: ArrayLike, k: int, among: Selection | None = None) -> Ids:
        query = np.asarray(vector, np.float32)
        state = self._state
        _, ids = state.delta.search(query, k, among)
        if self.base is None:
            return ids
        live = state.live if among is None else state.live & among
        return np.concatenate([ids, self.base.near(query, k, live)])

    def _in_base(self, ids: Ids, vectors: Vectors) -> NDArray[np.bool_]:
        """Which photos the base holds just so: they come back from the trash at no cost."""
        same = np.zeros(ids.size, np.bool_)
        if self.base is not None:
            same = self.base.members.contains(ids)
            same[same] = (self.base.vectors(ids[same]) == vectors[same]).all(axis=1)
        return same

    def _best(
        self, state: _State, query: Vectors, k: int, among: Selection | None
    ) -> tuple[Scores, Ids]:
        scores, ids = state.delta.search(query, k, among)
        if self.base is None:
            return scores, ids
        base_scores, base_ids = self.base.search(query, k, state.live)
        return best(np.concatenate([scores, base_scores]), np.concatenate([ids, base_ids]), k)
