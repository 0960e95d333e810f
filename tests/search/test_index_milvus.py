"""The same tests against Milvus Lite, and what is particular to a server."""

import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import precondition, rule
from milvus_lite import server_manager_instance

from search.errors import IndexDamaged, IndexMissing, IndexUnreachable
from search.index import LayeredIndex, Selection, milvus_filter
from search.index.manifest import Kind
from search.index.milvus import MANIFESTS, MilvusStore, connect
from search.index.scoring import as_stored
from tests.search.index_machine import DIM, IndexAgainstDictionary, unit_vectors

_numbers = count()
_place = tempfile.TemporaryDirectory(prefix="marea-milvus-", ignore_cleanup_errors=True)
URL = f"milvus://{_place.name}/lite.db"


@pytest.fixture(scope="module", autouse=True)
def _ended() -> Iterator[None]:
    yield
    connect.cache_clear()
    server_manager_instance.release_all()


def a_store(**options: Any) -> MilvusStore:
    """Of a model version that nobody else has."""
    return MilvusStore(URL, f"test-{next(_numbers)}", **options)


class OverMilvus(IndexAgainstDictionary):
    def new_store(self, folder: Path, kind: Kind) -> MilvusStore:
        return a_store()

    @precondition(lambda self: self.store.state() is not None)
    @rule()
    def catch_up(self) -> None:
        """What a worker does instead of building anew."""
        after = self.changes[self.store.manifest().high_water_mark :]
        changed = sorted({photo_id for _, photo_id, _ in after})
        there = [i for i in changed if i in self.expected]
        gone = [i for i in changed if i not in self.expected]
        vectors = [self.expected[i] for i in there]
        self.store.catch_up(high_water_mark=len(self.changes), changes=[(gone, there, vectors)])
        self.reopen()


TestAgainstDictionary = OverMilvus.TestCase
TestAgainstDictionary.settings = settings(
    max_examples=6,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return as_stored(unit_vectors(3_000, seed=1))


@pytest.fixture(scope="module")
def index(vectors: np.ndarray) -> LayeredIndex:
    store = a_store()
    ids = np.arange(len(vectors)) * 3
    batches = [(ids[:2_000], vectors[:2_000]), (ids[2_000:], vectors[2_000:])]
    store.build(high_water_mark=1, batches=batches, dim=DIM)
    return LayeredIndex(store.open())


@pytest.mark.parametrize("fraction", [1.0, 0.9, 0.5, 0.1, 0.01])
def test_conditions_keep_what_exact_search_finds(
    index: LayeredIndex, vectors: np.ndarray, fraction: float
) -> None:
    chance = np.random.default_rng(1)
    chosen = np.flatnonzero(chance.random(len(vectors)) < fraction)
    queries = vectors[chance.integers(0, len(vectors), 10)]

    _, found = index.search(queries, 10, Selection.of(chosen * 3))

    exact = chosen[np.argsort(-(queries @ vectors[chosen].T), axis=1)[:, :10]] * 3
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found, exact, strict=True)])
    assert recall >= 0.98


def test_k_are_found_whenever_k_exist(
    index: LayeredIndex, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also far from the query, where the answer is sieved and has too few of them."""
    monkeypatch.setattr(milvus_filter, "MOST_TERMS", 10)
    farthest = np.argsort(vectors @ vectors[0])[:300] * 3

    _, found = index.search(vectors[0], 200, Selection.of(farthest))

    assert len(set(found[0])) == 200
    assert set(found[0]) <= set(farthest)


def test_the_base_before_can_be_put_back_in_use() -> None:
    store = a_store()
    for mark in (1, 2, 3):
        store.build(high_water_mark=mark, batches=[([mark], unit_vectors(1, seed=mark))], dim=DIM)

    assert store.oldest_mark() == 2
    assert store.undo().high_water_mark == 2
    assert list(store.open().ids) == [2]
    assert store.undo().high_water_mark == 3
    ours = [name for name in connect(URL).list_collections() if name.startswith(store._prefix())]
    assert len(ours) == 2  # those before are gone


def test_models_never_meet() -> None:
    store = a_store(digest="a")
    store.build(high_water_mark=1, batches=[([1], unit_vectors(1, seed=1))], dim=DIM)

    with pytest.raises(IndexMissing):
        MilvusStore(URL, store.version, digest="b").open()
    with pytest.raises(IndexMissing):
        a_store().open()
    assert MilvusStore(URL, store.version, digest="a").open().members == Selection.of([1])


def test_a_lost_collection_is_damage_and_the_one_before_takes_its_place() -> None:
    store = a_store()
    for mark in (1, 2):
        store.build(high_water_mark=mark, batches=[([mark], unit_vectors(1, seed=mark))], dim=DIM)
    connect(URL).drop_collection(store.manifest().base)

    with pytest.raises(IndexDamaged) as damage:
        store.open()
    assert store.set_aside(damage.value.base)
    assert not store.set_aside(damage.value.base)
    assert store.open().manifest.high_water_mark == 1


def test_a_manifest_that_cannot_be_read_is_damage() -> None:
    store = a_store()
    store.build(high_water_mark=1, batches=[([1], unit_vectors(1, seed=1))], dim=DIM)
    row = {"version": store.version, "manifests": "{", "unused": [0.0, 1.0]}
    connect(URL).upsert(MANIFESTS, [row])

    with pytest.raises(IndexDamaged) as damage:
        store.open()
    assert store.set_aside(damage.value.base)
    with pytest.raises(IndexMissing):
        store.open()


def test_a_server_that_does_not_answer_is_said_to_be_unreachable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nobody = MilvusStore("milvus://127.0.0.1:9", "test")
    monkeypatch.setattr("search.index.milvus.CONNECT_S", 0.5)
    with pytest.raises(IndexUnreachable, match="Milvus does not answer"):
        nobody.open()
    with pytest.raises(IndexUnreachable):
        nobody.state()
