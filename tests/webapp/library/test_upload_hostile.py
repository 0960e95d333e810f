"""Hostile files and names through the upload: an answer in words, and nothing worse."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse

from tests.factories import a_user, image_bytes
from tests.hostile.make import hostile_files
from tests.hostile.names import HOSTILE_NAMES
from tests.hostile.sample import HostileFile
from tests.webapp.library.uploader import Uploader
from webapp.library.models import Photo, Upload

pytestmark = pytest.mark.django_db
MORE_FILES = settings.BASE_DIR.parent / "shared" / "data" / "hostile"


@pytest.fixture
def uploader(tmp_path: Path, settings: Any) -> Uploader:
    settings.MAREA_UPLOADS = tmp_path  # a folder that other tests leave nothing in
    return Uploader(a_user())


def assert_refused(response: HttpResponse, name: str) -> None:
    """A 4xx with a sentence that names the file, and no trace of it."""
    error = response.json()["error"]
    assert 400 <= response.status_code < 500
    assert error["message"].startswith(name)
    assert error["message"].endswith(".")
    assert not Photo.objects.exists()
    assert_nothing_left()


def assert_nothing_left() -> None:
    assert not Upload.objects.exists()
    assert [path for path in Path(settings.MAREA_UPLOADS).iterdir() if path.is_file()] == []


@pytest.mark.parametrize("file", hostile_files(), ids=lambda file: file.name)
def test_hostile_files_become_photos_or_are_refused_in_words(
    uploader: Uploader, file: HostileFile
) -> None:
    response = uploader.upload(file.data, name=file.name)
    if file.refused:
        assert_refused(response, file.name)
        assert response.json()["error"]["code"] == file.refused
    else:
        assert response.json()["outcome"] == "new"
        photo = Photo.objects.get()
        assert (photo.width, photo.height) == file.size
        assert_nothing_left()


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=ascii)
def test_hostile_names_are_stored_as_harmless_text(uploader: Uploader, name: str) -> None:
    response = uploader.upload(image_bytes(seed=1), name=name)
    assert response.json()["outcome"] == "new"
    photo = Photo.objects.get()
    assert 0 < len(photo.file_name) <= 255
    assert not set(photo.file_name) & set("/\\\0\r\n\u202e")
    assert_nothing_left()
    page = uploader.client.get(reverse("library:photo", args=[photo.pk]))
    assert page.status_code == 200
    assert "<script>alert" not in page.content.decode()
    assert "<img src=x" not in page.content.decode()


@pytest.mark.skipif(not MORE_FILES.is_dir(), reason="needs ../shared/data/hostile")
def test_hostile_files_from_elsewhere_end_as_their_table_says(
    uploader: Uploader, subtests: Any
) -> None:
    with (MORE_FILES / "expected.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    for row in rows:
        with subtests.test(row["file"]):
            data = (MORE_FILES / "files" / row["file"]).read_bytes()
            response = uploader.upload(data, name=row["file"])
            assert response.status_code < 500
            if row["expect"] == "accept":
                photo = Photo.objects.get(pk=response.json()["photo"]["id"])
                assert (str(photo.width), str(photo.height)) == (row["width"], row["height"])
                photo.delete()
            else:
                assert_refused(response, row["file"])


@pytest.mark.skipif(not MORE_FILES.is_dir(), reason="needs ../shared/data/hostile")
def test_hostile_names_from_elsewhere_are_harmless(uploader: Uploader) -> None:
    names = json.loads((MORE_FILES / "names.json").read_text(encoding="utf-8"))
    for number, entry in enumerate(names):
        name = entry if isinstance(entry, str) else entry["name"]
        response = uploader.upload(image_bytes(seed=number), name=name)
        assert response.json()["outcome"] == "new"
    assert_nothing_left()
