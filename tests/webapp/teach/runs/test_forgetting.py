"""What trainings learned from forgets what the library forgot."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.factories import a_photo, a_user, image_bytes
from webapp.accounts.models import User
from webapp.library.models import Photo
from webapp.library.services.trash import delete_photos, trash_photos
from webapp.teach.corrections.saying import add_tag, reject_tag, write_caption
from webapp.teach.runs.forgetting import forget_gone
from webapp.teach.runs.snapshots import (
    keep_snapshot,
    read_snapshot,
    snapshot_path,
    training_folder,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, settings: Any) -> None:
    settings.MAREA_DATA = tmp_path


def delete(photo: Photo) -> None:
    trash_photos(Photo.objects.filter(pk=photo.pk))
    delete_photos(Photo.objects.filter(pk=photo.pk))


def tagged(user: User, word: str, **fields: Any) -> Photo:
    photo = a_photo(user, with_thumbnails=False, **fields)
    add_tag(user, Photo.objects.filter(pk=photo.pk), word)
    return photo


def test_a_deleted_photo_takes_its_words_along_and_the_rest_stays() -> None:
    ada = a_user("ada")
    stays, goes, other = tagged(ada, "miso"), tagged(ada, "secret"), a_photo(ada)
    reject_tag(ada, Photo.objects.filter(pk=stays.pk), "cat")
    said = {stays.sha256: {"miso": True, "cat": False}, goes.sha256: {"secret": True}}
    rest = {"base": "lite2", "judged": {}, "deeds": [1], "corrections": [1, 2]}
    name = keep_snapshot(rest | {"learned": said, "others": [other.sha256, "0" * 64]})
    trash_photos(Photo.objects.filter(pk=stays.pk))  # which may come back
    delete(goes)
    assert forget_gone() == 1
    assert forget_gone() == 0
    left = rest | {"learned": {stays.sha256: said[stays.sha256]}, "others": [other.sha256]}
    assert read_snapshot(name) == left
    assert "secret" not in snapshot_path(name).read_text()
    assert goes.sha256 not in snapshot_path(name).read_text()


def test_a_deleted_account_takes_its_words_from_photos_that_others_have_too() -> None:
    ada, bob, data = a_user("ada"), a_user("bob"), image_bytes()
    hers, his = (tagged(user, "boat", data=data) for user in (ada, bob))
    write_caption(ada, hers, "Grandma’s boat")
    write_caption(bob, his, "A boat")
    name = keep_snapshot({"learned": {his.sha256: ["Grandma’s boat", "A boat"]}, "judged": {}})
    assert forget_gone() == 0
    ada.delete()
    assert forget_gone() == 1
    assert read_snapshot(name)["learned"] == {his.sha256: ["A boat"]}


def test_what_was_seen_of_a_deleted_photo_goes_as_well() -> None:
    ada = a_user("ada")
    stays, goes = a_photo(ada), a_photo(ada)
    kept = [
        training_folder()
        / "features"
        / "0123456789ab"
        / each.sha256[:2]
        / f"{each.sha256}.safetensors"
        for each in (stays, goes)
    ]
    for path in kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    delete(goes)
    forget_gone()
    assert [path.exists() for path in kept] == [True, False]


@pytest.mark.django_db(transaction=True)
def test_backups_follow(tmp_path: Path) -> None:
    photo = tagged(a_user("ada"), "secret")
    name = keep_snapshot({"learned": {photo.sha256: {"secret": True}}})
    call_command("backup", str(tmp_path / "backups"))
    delete(photo)
    forget_gone()
    call_command("backup", str(tmp_path / "backups"))
    assert "secret" not in (tmp_path / "backups" / "snapshots" / f"{name}.json").read_text()
