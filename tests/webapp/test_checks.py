"""System checks: what is missing is named, with what to do about it."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks

from webapp.checks import (
    browser_packages_are_installed,
    data_folder_is_writable,
    missing_browser_packages,
    search_engine_is_known,
    weights_are_present,
)


def test_a_clone_passes_its_checks() -> None:
    assert [each for each in run_checks() if each.id == "marea.E001"] == []
    assert weights_are_present() == []


def test_a_folder_that_cannot_be_written_is_an_error(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAREA_DATA = tmp_path
    monkeypatch.setattr("os.access", lambda path, mode: path != tmp_path)  # tests may run as root
    (message,) = data_folder_is_writable()
    assert message.id == "marea.E001"
    assert "owner" in (message.hint or "")


def test_a_search_engine_that_is_not_there_is_an_error(settings: Any) -> None:
    assert search_engine_is_known() == []
    for unknown in ("nothing", "milvus://", "milvus"):
        settings.SEARCH_ENGINE = unknown
        (message,) = search_engine_is_known()
        assert message.id == "marea.E002"
        assert repr(unknown) in message.msg


def test_milvus_needs_its_packages(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lacking: set[str] = set()
    monkeypatch.setattr("webapp.checks.find_spec", lambda name: name not in lacking or None)
    for engine, package in (("milvus://host", "pymilvus"), ("milvus:///a.db", "milvus_lite")):
        settings.SEARCH_ENGINE = engine
        lacking.clear()
        assert search_engine_is_known() == []
        lacking.add(package)
        (message,) = search_engine_is_known()
        assert message.id == "marea.E003"
        assert "requirements-milvus.txt" in (message.hint or "")


def test_missing_weights_are_a_warning(settings: Any) -> None:
    settings.MAREA_MODEL = "nothing"
    (message,) = weights_are_present()
    assert "nothing is no model version" in message.msg
    assert message.hint


def test_browser_packages_must_be_there_in_their_version(tmp_path: Path, settings: Any) -> None:
    wanted = {"htmx.org": "2.0.11", "photoswipe": "5.4.4"}
    (tmp_path / "package.json").write_text(json.dumps({"dependencies": wanted}))
    installed = tmp_path / "node_modules" / "htmx.org"
    installed.mkdir(parents=True)
    (installed / "package.json").write_text(json.dumps({"version": "1.0.0"}))
    assert list(missing_browser_packages(tmp_path / "node_modules")) == [
        "htmx.org 2.0.11",
        "photoswipe 5.4.4",
    ]
    (installed / "package.json").write_text(json.dumps({"version": "2.0.11"}))
    settings.MAREA_FRONTEND = tmp_path / "node_modules"
    (message,) = browser_packages_are_installed()
    assert "photoswipe 5.4.4" in message.msg
