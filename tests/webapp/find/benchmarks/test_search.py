"""The benchmark of search, on a library that is small enough to wait for."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings

from search.index import Selection
from webapp.find.benchmarks import _drawn, _measures, http, search


def test_drawn_vectors_are_unit_vectors_and_always_the_same() -> None:
    once, again = (np.concatenate(list(_drawn.photo_vectors(50, seed=3))) for _ in range(2))

    np.testing.assert_array_equal(once, again)
    np.testing.assert_allclose(np.linalg.norm(once, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(_drawn.text_like(once, seed=1), axis=1), 1, rtol=1e-5)


def measured(tmp_path: Path, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "manage.py", "benchmark", *arguments, "--json"],
        cwd=settings.BASE_DIR,
        env={"PATH": "/usr/bin:/bin", "MAREA_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def test_exact_answers_are_the_best_of_each_selection() -> None:
    ids = np.arange(50) * 2
    (rows,) = (batch.astype(np.float16) for batch in _drawn.photo_vectors(50, seed=4))
    questions = _measures.Questions.draw(3)
    few = Selection.of([4, 10, 98])

    everything, among_few = _measures.exact_answers(questions, ids, rows, [Selection.of(ids), few])

    scores = questions.vectors @ rows.astype(np.float32).T
    for row, found, found_few in zip(scores, everything, among_few, strict=True):
        assert set(found) == set(ids[np.argsort(-row)[: _measures.K]])
        assert set(found_few) == {4, 10, 98}


def test_recall_is_the_share_that_was_found() -> None:
    found = [np.array([1, 2]), np.array([3])]
    assert _measures.recall(found, [np.array([2, 9]), np.array([3])]) == 0.75


@pytest.mark.processes
def test_the_index_is_measured_beside_others(tmp_path: Path) -> None:
    plot = tmp_path / "growth.svg"
    figures = measured(
        tmp_path, "search", "--vectors", "10050", "--queries", "5", "--growth", str(plot),
        "--keep", str(tmp_path / "kept"),
    )  # fmt: skip

    assert (figures["vectors"], figures["kind"]) == (10_050, "flat")
    assert figures["recall@10"] == figures["recall@10_text"] == 1.0
    assert figures["p50_ms"] <= figures["p99_ms"]
    assert figures["ratio_to_flat"] > 0
    assert figures["work_ratio_to_flat"] > 0
    assert 0 < figures["shared_bytes_per_photo"] <= figures["bytes_per_photo"]
    assert [each["share"] for each in figures["conditions"]] == [0.001, 0.01, 0.1, 0.9]
    assert all(each["recall@10"] == 1.0 for each in figures["conditions"])
    assert (figures["changes"]["found_at_once"], figures["changes"]["gone_at_once"]) == (1.0, 1.0)
    assert set(figures["rivals"]) == {"usearch", "hnswlib"}
    assert [each["vectors"] for each in figures["growth"]] == [10_000, 10_050]
    assert plot.read_text().startswith("<?xml")
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["10000", "10050"]
    table = search.table(figures)
    assert "usearch" in table
    assert "10,050 photos" in table


@pytest.mark.processes
def test_search_is_measured_over_a_server_without_torch(tmp_path: Path) -> None:
    figures = measured(tmp_path, "http", "--photos", "60", "--requests", "10", "--rate", "50")

    assert (figures["photos"], figures["requests"], figures["torch_loaded"]) == (60, 10, False)
    assert figures["p50_ms"] <= figures["p99_ms"]
    assert "60 photos" in http.table(figures)
