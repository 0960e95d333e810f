"""Each poisoned ZIP is refused in a sentence or read without what is wrong with it; nothing is
executed, nothing is written elsewhere, nothing is left behind."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.zips import ANY, HostileZip, hostile_zips
from webapp.errors import UserError
from webapp.teach.datasets.registering import nothing_told, read_source

ZIPS = hostile_zips()


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MAREA_DATA = tmp_path / "home" / "data"
    settings.MAREA_DATA.mkdir(parents=True)
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")


def test_there_are_two_hundred() -> None:
    assert len(ZIPS) >= 200
    assert len({each.name for each in ZIPS}) == len(ZIPS)


@pytest.mark.parametrize("poisoned", ZIPS, ids=[each.name for each in ZIPS])
def test_poisoned_zip(poisoned: HostileZip, tmp_path: Path, settings: Any) -> None:
    path = tmp_path / "upload.zip"
    path.write_bytes(poisoned.data)
    made, refusal = outcome(path)
    if refusal:
        assert poisoned.refused in (refusal.code, ANY), refusal.message
        assert refusal.message.endswith("Nothing was kept.")
        assert 400 <= refusal.status < 500
    else:
        assert poisoned.refused in ("", ANY)
    if made and not poisoned.refused:
        assert_taken(poisoned, made)
    assert_nothing_else(tmp_path, settings.MAREA_DATA / "datasets", made)


def outcome(path: Path) -> tuple[Path | None, UserError | None]:
    try:
        return read_source(path, nothing_told), None
    except UserError as error:
        return None, error


def manifest_of(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
    return manifest


def assert_taken(poisoned: HostileZip, folder: Path) -> None:
    manifest = manifest_of(folder)
    assert manifest["labels"] == sorted(poisoned.labels)
    assert poisoned.left_out in " ".join(manifest["left_out"]["reasons"])
    assert bool(manifest["left_out"]["photos"]) == bool(poisoned.left_out)


def assert_nothing_else(home: Path, datasets: Path, made: Path | None) -> None:
    """Beside the upload and the data set there is nothing that was not there."""
    assert sorted(path.name for path in home.iterdir()) == ["cwd", "home", "upload.zip"]
    assert not list((home / "cwd").iterdir())
    assert [path.name for path in (home / "home").iterdir()] == ["data"]
    kept = list(datasets.iterdir()) if datasets.exists() else []
    assert kept == ([made] if made else [])
    if made:
        listed = {sha256 for sha256, _, _ in manifest_of(made)["photos"]}
        for kind in ("images", "thumbnails"):
            files = [path for path in (made / kind).rglob("*") if not path.is_dir()]
            assert {path.name for path in files} == listed
            assert not any(path.is_symlink() or path.stat().st_mode & 0o111 for path in files)
