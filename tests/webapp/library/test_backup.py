"""Backup and restore: what a person put in comes back, into whichever database."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import PASSWORD, a_photo, a_sight, a_token, a_user, image_bytes
from tests.vision.folders import write_version
from webapp.accounts.models import ApiToken, User
from webapp.albums.models import AlbumPhoto
from webapp.albums.services import add_photos
from webapp.find.history import events
from webapp.find.history.memory import keeps_history
from webapp.find.history.models import SearchDeed, SearchEvent
from webapp.find.history.wishes import Wish
from webapp.find.index.building import index_folder
from webapp.find.services import find_photos
from webapp.library.models import ChangeCounter, Photo, Worker
from webapp.library.services import backup
from webapp.library.services.backup import layout, making
from webapp.library.services.thumbnails import has_thumbnails
from webapp.library.storage import originals
from webapp.teach import reading
from webapp.teach.corrections.saying import add_tag, write_caption
from webapp.teach.models import Correction, PhotoTag, Sight
from webapp.teach.services import active_version, weights_folder
from webapp.teach.text_models import ReadText
from webapp.teach.versions.folders import models_folder, register

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, settings: Any) -> None:
    """Originals and thumbnails of one test only."""
    settings.MAREA_DATA = tmp_path / "data"
    settings.MAREA_THUMBNAILS = tmp_path / "data" / "thumbnails"
    settings.MAREA_ORIGINALS = tmp_path / "data" / "originals"
    location = {"OPTIONS": {"location": settings.MAREA_ORIGINALS}}
    settings.STORAGES = settings.STORAGES | {"originals": settings.STORAGES["originals"] | location}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def _library() -> Photo:
    """A library with something of everything that people and models say."""
    ada = a_user("ada", password=PASSWORD)
    photo = a_photo(ada, file_name="boat.jpg", camera="Pinhole")
    a_sight(photo, caption="a boat on a lake", tags=[("boat", 0.8), ("lake", 0.6)])
    add_tag(ada, Photo.objects.filter(pk=photo.pk), "holiday")
    write_caption(ada, photo, "Our boat")
    a_photo(ada)
    add_photos(ada, Photo.objects.filter(pk=photo.pk), "Lakes 2019")
    assert reading.begin(photo)
    reading.store_text(photo, [("BOATS FOR HIRE", 0.9, (0.1, 0.1, 0.5, 0.1))])
    return photo


def _wipe() -> None:
    """A new machine: an empty database and no files."""
    for model in (Photo, User):
        model.objects.all().delete()
    shutil.rmtree(settings.MAREA_DATA)


def _everything() -> dict[str, Any]:
    """All that must survive, in a form that can be compared."""
    return {
        "photos": list(Photo.objects.order_by("pk").values()),
        "users": list(User.objects.order_by("pk").values()),
        "tokens": list(ApiToken.objects.order_by("pk").values()),
        "sights": list(Sight.objects.order_by("pk").values("photo", "caption", "tags")),
        "embeddings": [bytes(each) for each in Sight.objects.values_list("embedding", flat=True)],
        "tags": list(PhotoTag.objects.order_by("pk").values("photo", "tag__name", "source")),
        "corrections": list(Correction.objects.order_by("pk").values()),
        "albums": list(AlbumPhoto.objects.order_by("pk").values("photo", "album__name")),
        "texts": list(ReadText.objects.order_by("pk").values()),
        "changes": ChangeCounter.current(),
    }


def test_a_library_comes_back_as_it_was(target: Path, client: Client) -> None:
    photo = _library()
    a_token(photo.owner)
    before = _everything()
    call_command("backup", str(target))
    _wipe()

    call_command("restore", str(target))

    assert _everything() == before
    with originals().open(photo.original_name) as file:
        assert len(file.read()) == photo.size_bytes
    assert has_thumbnails(photo.sha256)
    client.post(reverse("accounts:sign_in"), {"username": "ada", "password": PASSWORD})
    found = client.get(reverse("find:page"), {"q": '"our boat"'})
    assert f"/photos/{photo.pk}/" in found.content.decode()


def test_a_person_s_word_on_searches_comes_back_and_what_they_searched_for_does_not(
    target: Path,
) -> None:
    photo = _library()
    ada, quiet = photo.owner, a_user("quiet")
    events.choose_history(quiet, False)
    events.note_search(ada, "boat", find_photos(ada, "boat"))
    events.note_opened(ada, Wish("boat"), photo.pk, is_result=True)
    events.mark_not_this(ada, Wish("lake"), [photo.pk])
    call_command("backup", str(target))
    _wipe()

    call_command("restore", str(target))

    marks = SearchDeed.objects.values_list("text", "photo_id", "kind")
    assert list(marks) == [("lake", photo.pk, "not_this")]
    assert not keeps_history(User.objects.get(username="quiet"))
    assert not SearchEvent.objects.exists()


def test_new_photos_get_new_ids_after_a_restore(target: Path) -> None:
    _library()
    call_command("backup", str(target))
    _wipe()
    call_command("restore", str(target))
    newest = Photo.objects.order_by("pk").last()
    assert newest is not None
    assert a_photo(newest.owner).pk > newest.pk


def test_the_index_is_built_again(target: Path) -> None:
    _library()
    call_command("backup", str(target))
    _wipe()
    call_command("restore", str(target))
    manifest = json.loads((index_folder(active_version()) / "manifest.json").read_text())
    assert manifest["count"] == 1


def test_a_second_backup_adds_only_what_is_new(target: Path) -> None:
    photo = _library()
    first = backup.make_backup(target, link=False)
    kept = layout.original_in(target, photo.sha256)
    written_at = kept.stat().st_mtime_ns
    newer = a_photo(photo.owner)
    second = backup.make_backup(target, link=False)

    assert kept.stat().st_mtime_ns == written_at
    assert layout.original_in(target, newer.sha256).exists()
    assert backup.backups_in(target) == [first, second]
    assert backup.Manifest.read(first).rows["library.Photo"] == 2
    assert backup.Manifest.read(second).rows["library.Photo"] == 3


def test_versions_that_were_trained_here_come_back_too(target: Path) -> None:
    parts = {part: {} for part in ("backbone", "text", "embedding", "tags", "captions")}
    write_version(models_folder() / "mine", {"a.json": b"{}"}, parts)
    version = register("mine")
    call_command("backup", str(target))
    _wipe()
    call_command("restore", str(target))
    assert (weights_folder(version) / "a.json").read_bytes() == b"{}"


def test_an_older_backup_can_be_chosen(target: Path) -> None:
    photo = _library()
    first = backup.make_backup(target)
    a_photo(photo.owner)
    backup.make_backup(target)
    call_command("restore", str(target), at=first.name, force=True)
    assert Photo.objects.count() == 2


def test_on_the_same_disk_originals_are_linked(target: Path) -> None:
    photo = _library()
    call_command("backup", str(target))
    original = Path(originals().path(photo.original_name))
    assert layout.original_in(target, photo.sha256).samefile(original)


def test_an_interrupted_backup_leaves_the_earlier_one(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = _library()
    first = backup.make_backup(target)
    a_photo(photo.owner)

    def killed(path: Path) -> dict[str, int]:
        path.write_bytes(b"half a row")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(making, "write_rows", killed)
        with pytest.raises(KeyboardInterrupt):
            backup.make_backup(target)

    assert backup.backups_in(target) == [first]
    _wipe()
    call_command("restore", str(target))
    assert Photo.objects.count() == 2


def test_what_an_interrupted_backup_left_is_cleared_away_later(target: Path) -> None:
    _library()
    abandoned = target / "making-2020-01-01T000000Z"
    abandoned.mkdir(parents=True)
    os.utime(abandoned, (0, 0))
    backup.make_backup(target)
    assert not abandoned.exists()


def test_a_library_with_photos_is_not_overwritten(target: Path) -> None:
    _library()
    call_command("backup", str(target))
    a_photo(a_user("eve"))
    with pytest.raises(CommandError, match="not empty"):
        call_command("restore", str(target))
    assert Photo.objects.count() == 3
    call_command("restore", str(target), force=True)
    assert list(User.objects.values_list("username", flat=True)) == ["ada"]


def test_nothing_is_restored_while_workers_are_at_work(target: Path) -> None:
    _library()
    call_command("backup", str(target))
    now = timezone.now()
    Worker.objects.create(name="w", queues="look", pid=1, started_at=now, seen_at=now)
    with pytest.raises(CommandError, match="Stop it"):
        call_command("restore", str(target), force=True)


def test_a_damaged_original_is_named_and_not_restored(target: Path) -> None:
    photo = _library()
    call_command("backup", str(target), copy=True)
    layout.original_in(target, photo.sha256).write_bytes(b"rust")
    _wipe()
    with pytest.raises(CommandError, match="1 originals whole"):
        call_command("restore", str(target))
    assert Photo.objects.count() == 2
    assert not originals().exists(photo.original_name)


def test_damaged_rows_change_nothing(target: Path) -> None:
    _library()
    made = backup.make_backup(target)
    (made / layout.ROWS).write_bytes(b"rust")
    with pytest.raises(CommandError, match="damaged"):
        call_command("restore", str(target), force=True)
    assert Photo.objects.count() == 2


def test_a_damaged_original_stops_a_copying_backup(target: Path) -> None:
    photo = _library()
    Path(originals().path(photo.original_name)).write_bytes(b"rust")
    with pytest.raises(CommandError, match="is damaged"):
        call_command("backup", str(target), copy=True)
    assert backup.backups_in(target) == []


def test_lost_originals_are_brought_back_without_touching_the_rest(target: Path) -> None:
    photo = _library()
    call_command("backup", str(target), copy=True)
    Path(originals().path(photo.original_name)).write_bytes(b"rust")
    newer = a_photo(photo.owner, data=image_bytes())
    call_command("restore", str(target), originals_only=True)
    assert originals().size(photo.original_name) == photo.size_bytes
    assert Photo.objects.filter(pk=newer.pk).exists()


def test_a_missing_original_is_reported_in_the_backup(
    target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = _library()
    originals().delete(photo.original_name)
    call_command("backup", str(target), json=True)
    figures = json.loads(capsys.readouterr().out)
    assert figures["missing_originals"] == [photo.sha256]
    assert figures["originals"] == 1


def test_a_folder_without_backups_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no finished backup"):
        call_command("restore", str(tmp_path))


def test_a_backup_of_a_newer_marea_is_refused(target: Path) -> None:
    _library()
    made = backup.make_backup(target)
    manifest = json.loads((made / layout.MANIFEST).read_text())
    manifest["migrations"]["library"] = "9999_from_the_future"
    (made / layout.MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(CommandError, match="newer Marea"):
        call_command("restore", str(target), force=True)
