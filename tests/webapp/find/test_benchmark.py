"""The benchmark of search, on a library that is small enough to wait for."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings

from webapp.find.benchmarks import _drawn, search


def test_drawn_vectors_are_unit_vectors_and_always_the_same() -> None:
    once, again = (np.concatenate(list(_drawn.photo_vectors(50, seed=3))) for _ in range(2))

    np.testing.assert_array_equal(once, again)
    np.testing.assert_allclose(np.linalg.norm(once, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(_drawn.text_like(once, seed=1), axis=1), 1, rtol=1e-5)


@pytest.mark.processes
def test_search_is_measured_over_a_server_without_torch(tmp_path: Path) -> None:
    command = [sys.executable, "manage.py", "benchmark", "search"]
    done = subprocess.run(
        [*command, "--vectors", "60", "--queries", "5", "--json"],
        cwd=settings.BASE_DIR,
        env={"PATH": "/usr/bin:/bin", "MAREA_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["vectors"], figures["kind"], figures["torch_loaded"]) == (60, "flat", False)
    assert figures["recall@10"] == figures["recall@10_text"] == 1.0
    assert figures["p50_ms"] <= figures["p99_ms"]
    assert "60 photos" in search.table(figures)
