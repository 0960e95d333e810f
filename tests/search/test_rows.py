"""Vectors on disk and their exact scores."""

import os
from pathlib import Path

import numpy as np
import pytest

from search.index.rows import Rows
from search.index.scoring import stored_products
from tests.search.index_machine import DIM, unit_vectors

COUNT = 1_000


@pytest.fixture
def stored() -> np.ndarray:
    return unit_vectors(COUNT, seed=4).astype(np.float16)


def written(stored: np.ndarray, folder: Path) -> Path:
    path = folder / "vectors.bin"
    path.write_bytes(stored.tobytes())
    return path


def test_rows_are_read_in_any_order_more_than_once(stored: np.ndarray, tmp_path: Path) -> None:
    rows = Rows(written(stored, tmp_path), DIM)
    wanted = np.array([COUNT - 1, 0, 17, 17])

    assert np.array_equal(rows.at(wanted), stored[wanted])
    assert rows.at(np.zeros(0, np.int64)).shape == (0, DIM)


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="needs a system that can forget")
def test_rows_that_the_system_forgot_come_from_disk(stored: np.ndarray, tmp_path: Path) -> None:
    path = written(stored, tmp_path)
    rows = Rows(path, DIM)
    with path.open("rb") as file:
        os.fdatasync(file.fileno())  # really: what is not on the disk yet cannot be forgotten
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    assert np.array_equal(rows.at(np.arange(COUNT)), stored)


def test_a_file_that_lost_its_end_is_an_error(stored: np.ndarray, tmp_path: Path) -> None:
    path = written(stored, tmp_path)
    rows = Rows(path, DIM)
    os.truncate(path, path.stat().st_size - 1)

    assert np.array_equal(rows.at(np.arange(COUNT - 1)), stored[:-1])
    with pytest.raises(OSError, match="too early"):
        rows.at(np.array([3, COUNT - 1]))


def test_stored_vectors_score_as_their_float32(stored: np.ndarray) -> None:
    query = unit_vectors(1, seed=5)[0]

    assert np.allclose(stored_products(stored, query), stored.astype(np.float32) @ query, atol=1e-6)
    assert stored_products(stored[:0], query).shape == (0,)


def test_what_is_no_number_scores_lowest(stored: np.ndarray) -> None:
    stored[3] = np.nan

    scores = stored_products(stored, unit_vectors(1, seed=5)[0])

    assert scores[3] == -np.inf
    assert np.isfinite(np.delete(scores, 3)).all()
