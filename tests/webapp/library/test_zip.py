"""Many originals as one ZIP."""

import io
import zipfile
from collections.abc import Sequence

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from tests.factories import a_photo, a_user, image_bytes
from webapp.accounts.models import User
from webapp.library.models import Photo
from webapp.library.storage import originals

pytestmark = pytest.mark.django_db


def download(as_ana: Client, photos: Sequence[Photo]) -> HttpResponse:
    ids = ",".join(str(photo.pk) for photo in photos)
    return as_ana.post(
        reverse("library:zip"), {"photos": ids}, headers={"accept": "application/json"}
    )


def opened(as_ana: Client, photos: Sequence[Photo]) -> zipfile.ZipFile:
    answer = download(as_ana, photos)
    assert answer.status_code == 200
    content = b"".join(answer.streaming_content)
    assert len(content) == int(answer.headers["Content-Length"])
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    return archive


def test_originals_come_byte_for_byte(as_ana: Client, ana: User) -> None:
    data = [image_bytes(), image_bytes(kind="PNG")]
    jpeg = a_photo(ana, data=data[0], file_name="a.jpg")
    png = a_photo(ana, data=data[1], file_name="b.png", media_type="image/png")
    archive = opened(as_ana, [jpeg, png])
    assert {name: archive.read(name) for name in archive.namelist()} == {
        "a.jpg": data[0],
        "b.png": data[1],
    }


def test_equal_names_are_told_apart(as_ana: Client, ana: User) -> None:
    photos = [a_photo(ana, file_name=name) for name in ("a.jpg", "A.jpg", "a.jpg")]
    names = opened(as_ana, photos).namelist()
    assert len({name.lower() for name in names}) == 3


@pytest.mark.parametrize("name", ["../../etc/cron.jpg", "C:\\x.jpg", "/root.jpg", ".ssh.jpg"])
def test_no_name_leads_out_of_the_folder(as_ana: Client, ana: User, name: str) -> None:
    [entry] = opened(as_ana, [a_photo(ana, file_name=name)]).namelist()
    assert not set(entry) & set("/\\:")
    assert not entry.startswith(".")


def test_others_photos_are_left_out(as_ana: Client, ana: User) -> None:
    mine, theirs = a_photo(ana, file_name="a.jpg"), a_photo(a_user("bob"))
    assert opened(as_ana, [mine, theirs]).namelist() == ["a.jpg"]


def test_a_zip_of_nothing_is_not_found(as_ana: Client) -> None:
    assert download(as_ana, [a_photo(a_user("bob"))]).status_code == 404


def test_the_limit_is_told_in_a_sentence(as_ana: Client, ana: User, settings: Settings) -> None:
    settings.MAREA_MAX_ZIP_PHOTOS = 2
    answer = download(as_ana, [a_photo(ana) for _ in range(3)])
    assert answer.status_code == 413
    assert "at most 2" in answer.json()["error"]["message"]


def test_a_missing_original_is_told_in_a_note_and_the_others_come(
    as_ana: Client, ana: User
) -> None:
    first, lost, last = (a_photo(ana, file_name=f"{name}.jpg") for name in ("a", "lost", "b"))
    originals().delete(lost.original_name)
    archive = opened(as_ana, [first, lost, last])
    assert set(archive.namelist()) == {"a.jpg", "b.jpg", "NOT IN THIS ZIP.txt"}
    note = archive.read("NOT IN THIS ZIP.txt").decode()
    assert "lost.jpg" in note
    assert "a.jpg" not in note


def test_an_original_of_another_size_than_noted_comes_as_it_is(as_ana: Client, ana: User) -> None:
    data = image_bytes()
    photo = a_photo(ana, data=data, file_name="a.jpg", size_bytes=len(data) + 100)
    assert opened(as_ana, [photo]).read("a.jpg") == data


def test_nothing_is_read_before_it_is_sent(as_ana: Client, ana: User) -> None:
    photos = [a_photo(ana, data=image_bytes(size=(640, 480), kind="BMP")) for _ in range(2)]
    stream = iter(download(as_ana, photos).streaming_content)
    assert len(next(stream)) < photos[0].size_bytes
