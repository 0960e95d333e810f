"""An index and a dictionary of vectors, changed and asked alike; for any engine."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from search.errors import IndexMissing
from search.index import FolderStore, LayeredIndex, Manifest, Selection, Store
from search.index.manifest import Kind
from search.index.scoring import as_stored

DIM = 16
photo_ids = st.lists(st.integers(0, 60), min_size=1, max_size=12)


def unit_vectors(count: int, *, seed: int, dim: int = DIM) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


class PowerCut(BaseException):
    """Stands for the end of the process: nothing after it runs."""


class IndexAgainstDictionary(RuleBasedStateMachine):
    """Random adds, removals, rebuilds, crashes, reopenings and steps back; every search is
    compared."""

    @initialize(kind=st.sampled_from(["flat", "ivf"]))
    def start(self, kind: Kind) -> None:
        self.place = tempfile.TemporaryDirectory()
        self.store = self.new_store(Path(self.place.name), kind)
        self.index = LayeredIndex(dim=DIM)
        self.expected: dict[int, np.ndarray] = {}
        self.changes: list[tuple[str, int, np.ndarray | None]] = []

    def new_store(self, folder: Path, kind: Kind) -> Store:
        """Empty, in the engine that is tested."""
        return FolderStore(folder, "test", kind=kind)

    def teardown(self) -> None:
        if hasattr(self, "place"):
            self.place.cleanup()

    @rule(ids=photo_ids, seed=st.integers(0, 10_000))
    def add(self, ids: list[int], seed: int) -> None:
        vectors = unit_vectors(len(ids), seed=seed)
        self.index.add(ids, vectors)
        self.expected |= dict(zip(ids, as_stored(vectors), strict=True))
        self.changes += [("add", *pair) for pair in zip(ids, vectors, strict=True)]

    @rule(ids=photo_ids)
    def remove(self, ids: list[int]) -> None:
        self.index.remove(ids)
        for photo_id in ids:
            self.expected.pop(photo_id, None)
        self.changes += [("remove", photo_id, None) for photo_id in ids]

    @precondition(lambda self: len(self.expected) > 1)
    @rule()
    def rebuild(self) -> None:
        manifest = self.build(self.batches())
        assert manifest.count == len(self.expected)
        self.index = LayeredIndex(self.store.open())

    @precondition(lambda self: len(self.expected) > 1)
    @rule(after=st.integers(0, 3))
    def crash(self, after: int) -> None:
        """The building process ends in the middle; the next one opens what was in use."""

        def cut_short() -> Iterator[tuple[list[int], list[np.ndarray]]]:
            yield from islice(self.batches(), after)
            raise PowerCut

        with pytest.raises(PowerCut):
            self.build(cut_short())
        self.reopen()

    @rule()
    def undo(self) -> None:
        with suppress(IndexMissing):
            self.store.undo()
        self.reopen()

    @rule()
    def reopen(self) -> None:
        """What a new process does: the base, then every change after its high-water mark."""
        try:
            base = self.store.open()
        except IndexMissing:
            return
        self.index = LayeredIndex(base)
        for change, photo_id, vector in self.changes[base.manifest.high_water_mark :]:
            if change == "add":
                self.index.add([photo_id], vector)
            else:
                self.index.remove([photo_id])

    def build(self, batches: Iterable[tuple[list[int], list[np.ndarray]]]) -> Manifest:
        mark = len(self.changes)
        return self.store.build(high_water_mark=mark, batches=batches, dim=DIM)

    def batches(self) -> Iterator[tuple[list[int], list[np.ndarray]]]:
        ids = sorted(self.expected)
        for at in range(0, len(ids), 5):
            yield ids[at : at + 5], [self.expected[i] for i in ids[at : at + 5]]

    @rule(seed=st.integers(0, 10_000), k=st.integers(1, 70), ids=st.none() | photo_ids)
    def search(self, seed: int, k: int, ids: list[int] | None) -> None:
        query = unit_vectors(1, seed=seed)[0]
        among = None if ids is None else Selection.of(ids)
        candidates = {i: v for i, v in self.expected.items() if ids is None or i in ids}

        scores, found = self.index.search(query, k, among)

        count = min(k, len(candidates))
        best = sorted((float(vector @ query) for vector in candidates.values()), reverse=True)
        np.testing.assert_allclose(scores[0, :count], best[:count], atol=1e-5)
        assert len(set(found[0, :count])) == count
        for photo_id, score in zip(found[0, :count], scores[0, :count], strict=True):
            assert score == pytest.approx(float(candidates[photo_id] @ query), abs=1e-5)
        assert (found[0, count:] == -1).all()
        assert np.isneginf(scores[0, count:]).all()

    @rule(seed=st.integers(0, 10_000), k=st.integers(1, 70), ids=st.none() | photo_ids)
    def propose(self, seed: int, k: int, ids: list[int] | None) -> None:
        """Which are near is a guess; that they are there, and how many, is not."""
        candidates = {i for i in self.expected if ids is None or i in ids}
        among = None if ids is None else Selection.of(ids)
        near = self.index.near(unit_vectors(1, seed=seed)[0], k, among).tolist()
        assert len(near) == len(set(near)) >= min(k, len(candidates))
        assert set(near) <= candidates

    @rule(ids=photo_ids)
    def read(self, ids: list[int]) -> None:
        known, vectors = self.index.vectors(ids)
        assert list(known) == sorted({i for i in ids if i in self.expected})
        for photo_id, vector in zip(known, vectors, strict=True):
            np.testing.assert_array_equal(vector, self.expected[photo_id])

    @invariant()
    def holds_as_many(self) -> None:
        if hasattr(self, "index"):
            assert len(self.index) == len(self.expected)
