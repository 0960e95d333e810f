from pathlib import Path

import pytest

from tests.folder import own_folder


def test_each_worker_has_a_folder_within_that_of_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MAREA_DATA", str(tmp_path))
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw1")

    assert own_folder() == str(tmp_path / "gw1")


def test_what_a_worker_starts_has_the_workers_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MAREA_DATA", str(tmp_path / "gw1"))
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw1")

    assert own_folder() == str(tmp_path / "gw1")


def test_without_workers_the_folder_is_the_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MAREA_DATA", str(tmp_path))
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)

    assert own_folder() == str(tmp_path)
