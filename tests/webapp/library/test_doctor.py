"""The doctor: names what is wrong, mends what can be made again, and never loses an original."""

import json
import os
import shutil
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from search import fulltext
from tests.factories import a_photo, a_sight, a_user
from webapp.accounts.models import User
from webapp.find.index.building import build_index, index_folder
from webapp.library.models import Photo
from webapp.library.services.doctor import database, files, seen, system, texts
from webapp.library.services.doctor.findings import Finding, Level
from webapp.library.services.thumbnails import has_thumbnails, thumbnail_path
from webapp.library.storage import originals
from webapp.teach import reading
from webapp.teach.models import Sight
from webapp.teach.services import active_version

pytestmark = pytest.mark.django_db

LONG_AGO = (0, 0)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, settings: Any) -> None:
    settings.MAREA_DATA = tmp_path
    settings.MAREA_THUMBNAILS = tmp_path / "thumbnails"
    settings.MAREA_ORIGINALS = tmp_path / "originals"
    settings.MAREA_INDEX = tmp_path / "index"
    location = {"OPTIONS": {"location": settings.MAREA_ORIGINALS}}
    settings.STORAGES = settings.STORAGES | {"originals": settings.STORAGES["originals"] | location}


@pytest.fixture
def photo() -> Photo:
    photo = a_photo(a_user("ada"))
    a_sight(photo, caption="a boat")
    return photo


def _original(photo: Photo) -> Path:
    return Path(originals().path(photo.original_name))


def _problems(findings: Any) -> list[Finding]:
    return [finding for finding in findings if finding.level is Level.PROBLEM]


def _mend(finding: Finding) -> str:
    assert finding.mend is not None
    return finding.mend()


def test_a_sound_library_has_no_problems(photo: Photo) -> None:
    build_index(active_version())
    checks = [database.database, database.migrations, database.rows, database.work]
    checks += [files.orphans, files.thumbnails, seen.sights, seen.full_text, seen.index]
    for check in [*checks, lambda: files.stored(deep=True)]:
        assert _problems(check()) == []


def test_a_missing_original_is_named_with_its_photo(photo: Photo) -> None:
    _original(photo).unlink()
    (found,) = _problems(files.stored(deep=False))
    assert f"photo {photo.pk}" in found.message
    assert found.mend is None
    assert "restore" in found.remedy


def test_a_shortened_original_is_damaged(photo: Photo) -> None:
    _original(photo).write_bytes(b"short")
    (found,) = _problems(files.stored(deep=False))
    assert "damaged" in found.message


def test_only_a_deep_look_sees_changed_bytes(photo: Photo) -> None:
    data = bytearray(_original(photo).read_bytes())
    data[-1] ^= 1
    _original(photo).write_bytes(data)
    assert _problems(files.stored(deep=False)) == []
    (found,) = _problems(files.stored(deep=True))
    assert "damaged" in found.message


def test_files_of_no_photo_are_set_aside_and_originals_stay(photo: Photo, tmp_path: Path) -> None:
    stray = _original(photo).with_name("f" * 64)
    stray.write_bytes(b"nobody's")
    os.utime(stray, LONG_AGO)
    os.utime(_original(photo), LONG_AGO)
    (found,) = _problems(files.orphans())
    _mend(found)
    assert (tmp_path / "lost+found" / stray.name).read_bytes() == b"nobody's"
    assert _original(photo).exists()
    assert not stray.exists()


def test_a_file_that_was_only_just_stored_is_no_orphan(photo: Photo) -> None:
    _original(photo).with_name("f" * 64).write_bytes(b"its row comes in a moment")
    assert _problems(files.orphans()) == []


def test_lost_thumbnails_are_made_again(photo: Photo, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "thumbnails")
    (found,) = _problems(files.thumbnails())
    assert "1 of 1 photo" in _mend(found)
    assert has_thumbnails(photo.sha256)


def test_thumbnails_of_deleted_photos_are_deleted(photo: Photo) -> None:
    stray = thumbnail_path("0" * 64, "small")
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"")
    (found,) = _problems(files.thumbnails())
    _mend(found)
    assert not stray.exists()
    assert has_thumbnails(photo.sha256)


def test_photos_that_were_never_looked_at_go_back_into_the_queue(photo: Photo) -> None:
    Sight.objects.all().delete()
    (found,) = _problems(seen.sights())
    _mend(found)
    photo.refresh_from_db()
    assert photo.state == Photo.State.WAITING


def test_a_cut_embedding_is_looked_at_again(photo: Photo) -> None:
    Sight.objects.update(embedding=b"half")
    found = _problems(seen.sights())[0]
    _mend(found)
    photo.refresh_from_db()
    assert photo.state == Photo.State.WAITING
    assert not Sight.objects.exists()


def test_missing_words_are_collected_again(photo: Photo) -> None:
    fulltext.delete(connection, [photo.pk])
    (found,) = _problems(seen.full_text())
    _mend(found)
    visible = Photo.objects.visible_to(photo.owner)
    assert fulltext.search(connection, visible, ["boat"], 5) == [photo.pk]


def test_a_damaged_index_is_built_again(photo: Photo) -> None:
    build_index(active_version())
    (index_folder(active_version()) / "manifest.json").write_text("{}")
    (found,) = _problems(seen.index())
    _mend(found)
    assert _problems(seen.index()) == []


def test_an_index_ahead_of_the_database_is_built_again(photo: Photo) -> None:
    build_index(active_version())
    version = active_version()
    before, built_for = index_folder(version), version.name
    version.name, version.is_active = "another", True
    version.save()
    before.rename(index_folder(version))
    (found,) = _problems(seen.index())
    assert built_for in found.message


def test_photos_of_a_vanished_worker_are_given_back(photo: Photo) -> None:
    past = timezone.now() - timedelta(hours=1)
    Photo.objects.update(state="waiting", holder="gone", lease_until=past)
    (found,) = _problems(database.work())
    _mend(found)
    photo.refresh_from_db()
    assert (photo.holder, photo.lease_until) == ("", None)


def test_a_readable_secret_key_is_hidden(tmp_path: Path) -> None:
    key = tmp_path / "secret_key"
    key.write_text("secret")
    key.chmod(0o644)
    (found,) = _problems(system.secret_key())
    _mend(found)
    assert key.stat().st_mode & 0o777 == 0o600


def test_altered_weights_are_named(tmp_path: Path, settings: Any) -> None:
    version = active_version()
    version.folder = str(tmp_path / "version")
    version.save()
    (tmp_path / "version").mkdir()
    manifest = {"format": 1, "name": "v", "parts": {}, "files": {"a.onnx": {"sha256": "0" * 64}}}
    (tmp_path / "version" / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "version" / "a.onnx").write_bytes(b"altered")
    (found,) = _problems(system.weights())
    assert "a.onnx" in found.message


def test_json_is_one_object_and_nothing_else(
    photo: Photo, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _original(photo).unlink()
    with pytest.raises(CommandError) as raised:
        call_command("doctor", json=True)
    assert raised.value.returncode == 1
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False
    assert {"check", "level", "message", "remedy", "can_be_mended", "done"} <= set(
        report["findings"][0]
    )


def test_mend_says_what_was_done(
    photo: Photo, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "thumbnails")
    with suppress(CommandError):  # what else this machine lacks is no matter of this test
        call_command("doctor", mend=True)
    assert "Mended: Thumbnails of 1 of 1 photo were made again." in capsys.readouterr().out
    assert User.objects.count() == 1


def test_what_is_still_to_be_read_is_told_and_no_problem(photo: Photo, settings: Any) -> None:
    (waiting,) = texts.read()
    assert (waiting.level, "1 photo;" in waiting.message) == (Level.NOTE, True)

    assert reading.begin(photo)
    reading.set_aside(photo, "It could not be read.")
    assert [finding.level for finding in texts.read()] == [Level.OK, Level.NOTE]

    settings.MAREA_OCR = False
    (off,) = texts.read()
    assert "switched off" in off.message
