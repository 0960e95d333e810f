"""The index against a dictionary of vectors."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from search.index import LayeredIndex, Selection, build_base, open_base
from search.index import base as base_module
from search.index import build as build_module
from search.index.scoring import as_stored
from tests.search.index_machine import IndexAgainstDictionary

# Small libraries are scored exactly by plan; the second run makes FAISS answer all of them.
TestExactPlan = IndexAgainstDictionary.TestCase
TestExactPlan.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)


class TestFaissPlan(IndexAgainstDictionary.TestCase):
    settings = settings(max_examples=15, stateful_step_count=20, deadline=None)

    @pytest.fixture(autouse=True)
    def no_exact_scoring(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(base_module, "EXACT_UP_TO", 0)


@pytest.fixture(scope="module")
def clustered() -> np.ndarray:
    """30,000 vectors around 300 centres, as embeddings of photos lie."""
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(300, 64))
    vectors = centres[rng.integers(0, 300, 30_000)] + 0.5 * rng.normal(size=(30_000, 64))
    return as_stored(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


@pytest.fixture(scope="module")
def large_index(clustered: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> LayeredIndex:
    folder = tmp_path_factory.mktemp("large")
    ids = np.arange(len(clustered)) * 3
    batches = ((ids[at : at + 7_000], clustered[at : at + 7_000]) for at in range(0, 30_000, 7_000))
    manifest = build_base(folder, version="v", high_water_mark=1, batches=batches, dim=64)
    assert manifest.kind == "ivf"
    return LayeredIndex(open_base(folder))


# Measured: 1.000 each.
@pytest.mark.parametrize("fraction", [1.0, 0.3, 0.1, 0.01])
def test_cells_find_what_exact_search_finds(
    large_index: LayeredIndex, clustered: np.ndarray, fraction: float
) -> None:
    rng = np.random.default_rng(1)
    chosen = np.flatnonzero(rng.random(len(clustered)) < fraction)
    queries = clustered[rng.integers(0, len(clustered), 50)]

    _, found = large_index.search(queries, 10, Selection.of(chosen * 3))

    exact = chosen[np.argsort(-(queries @ clustered[chosen].T), axis=1)[:, :10]] * 3
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found, exact, strict=True)])
    assert recall >= 0.98


# Measured: 1.000 each.
@pytest.mark.parametrize("fraction", [1.0, 0.3, 0.01])
def test_what_is_near_has_the_nearest(
    large_index: LayeredIndex, clustered: np.ndarray, fraction: float
) -> None:
    rng = np.random.default_rng(1)
    chosen = np.flatnonzero(rng.random(len(clustered)) < fraction)
    queries = clustered[rng.integers(0, len(clustered), 50)]
    exact = chosen[np.argsort(-(queries @ clustered[chosen].T), axis=1)[:, :10]] * 3
    among = Selection.of(chosen * 3)
    found = [large_index.near(query, 200, among) for query in queries]
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found, exact, strict=True)])
    assert recall >= 0.98


# Measured: 1.000; visiting cells whether or not they hold any of the selected: 0.768.
def test_photos_alike_are_found_by_a_query_that_is_unlike_them(
    large_index: LayeredIndex, clustered: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`tag:beach` and a query about something else: what is selected lies in a few far cells."""
    monkeypatch.setattr(base_module, "EXACT_UP_TO", 0)
    monkeypatch.setattr(base_module, "REACH", 2)
    rng = np.random.default_rng(1)
    chosen = np.argsort(-(clustered @ clustered[17]))[:600]
    queries = clustered[rng.integers(0, len(clustered), 50)]

    _, found = large_index.search(queries, 10, Selection.of(chosen * 3))

    exact = chosen[np.argsort(-(queries @ clustered[chosen].T), axis=1)[:, :10]] * 3
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found, exact, strict=True)])
    assert recall >= 0.98


def uneven_recall(folder: Path) -> float:
    """Of 10,000 vectors of which a few coordinates outweigh all others."""
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(10_050, 128)) / np.arange(1, 129)
    vectors = as_stored(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    known, queries = vectors[:10_000], vectors[10_000:]
    batches = [(np.arange(10_000), known)]
    build_base(folder, version="v", high_water_mark=1, batches=batches, dim=128, kind="ivf")
    _, found = LayeredIndex(open_base(folder)).search(queries, 10)
    exact = np.argsort(-(queries @ known.T), axis=1)[:, :10]
    return float(np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found, exact, strict=True)]))


def test_coordinates_may_differ_in_weight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert uneven_recall(tmp_path / "turned") >= 0.98
    monkeypatch.setattr(build_module, "_rotation", lambda dim: np.eye(dim, dtype=np.float32))
    assert uneven_recall(tmp_path / "as they are") < 0.95  # or turning them is for nothing


def test_a_base_from_before_vectors_were_turned_is_searched_as_ever(
    clustered: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_module, "EXACT_UP_TO", 0)
    monkeypatch.setattr(build_module, "_rotation", lambda dim: np.eye(dim, dtype=np.float32))
    batches = [(np.arange(3_000), clustered[:3_000])]
    manifest = build_base(
        tmp_path, version="v", high_water_mark=1, batches=batches, dim=64, kind="ivf"
    )
    (tmp_path / manifest.base / base_module.ROTATION).unlink()
    files = {n: mark for n, mark in manifest.files.items() if n != base_module.ROTATION}
    replace(manifest, files=files).write(tmp_path)

    _, found = LayeredIndex(open_base(tmp_path)).search(clustered[:20], 1)

    assert found[:, 0].tolist() == list(range(20))


def test_a_query_that_is_no_number_finds_nothing_and_comes_to_its_end(
    large_index: LayeredIndex,
) -> None:
    _, found = large_index.search(np.full(64, np.nan, np.float32), 10)
    assert set(found[0]) == {-1}


def test_cells_return_k_whenever_k_exist(large_index: LayeredIndex, clustered: np.ndarray) -> None:
    """Candidates far from the query lie in cells that are not visited at first."""
    query = clustered[0]
    farthest = np.argsort(clustered @ query)[:2_500] * 3

    _, found = large_index.search(query, 1_000, Selection.of(farthest))

    assert len(set(found[0])) == 1_000
    assert set(found[0]) <= set(farthest)


def test_a_changed_photo_of_the_base_is_found_only_as_it_is_now(
    large_index: LayeredIndex, clustered: np.ndarray
) -> None:
    index = LayeredIndex(large_index.base)
    index.add([0], -clustered[0])

    scores, found = index.search(clustered[0], 10)
    assert 0 not in found
    scores, found = index.search(-clustered[0], 1)
    assert found[0, 0] == 0
    assert scores[0, 0] == pytest.approx(1, abs=1e-3)


def test_a_photo_that_comes_back_as_it_was_takes_no_memory(
    large_index: LayeredIndex, clustered: np.ndarray
) -> None:
    index = LayeredIndex(large_index.base)
    index.remove([0, 3])
    assert index.search(clustered[0], 1, Selection.of([0, 3]))[1][0, 0] == -1

    index.add([0, 3], clustered[:2])

    assert index.search(clustered[0], 1, Selection.of([0, 3]))[1][0, 0] == 0
    assert index.delta_rows == 0


def test_readers_are_undisturbed_while_photos_come_and_go(
    large_index: LayeredIndex, clustered: np.ndarray
) -> None:
    """Every answer is of one moment: the photos 0 and 3 are swapped in one step, never half."""
    index = LayeredIndex(large_index.base)
    pair = np.stack([clustered[5], -clustered[5]])
    index.add([0, 3], pair)
    wrong: list[object] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            scores, ids = index.search(clustered[5], 2, Selection.of([0, 3]))
            if sorted(ids[0]) != [0, 3] or not np.allclose(scores[0], [1, -1], atol=1e-2):
                wrong.append((scores, ids))

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for turn in range(300):
        index.add([0, 3], pair[:: (-1) ** turn])
        index.add([100_000 + turn], clustered[turn])
        index.remove([100_000 + turn - 10])
    done.set()
    for reader in readers:
        reader.join()

    assert not wrong
