"""`manage.py import_photos`: folders on the server, twice, with everything that lies in folders."""

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.factories import a_user, an_image_file, image_bytes
from webapp.accounts.models import User
from webapp.library.models import Photo
from webapp.library.services.importing import find_files
from webapp.library.storage import originals

pytestmark = pytest.mark.django_db(transaction=True)  # files are added by several threads


@pytest.fixture
def owner() -> User:
    return a_user("anna")


def run(*paths: Path, user: str | None = "anna") -> dict[str, Any]:
    """Import and return what `--json` printed, whatever the exit code."""
    out = io.StringIO()
    try:
        call_command("import_photos", *map(str, paths), user=user, json=True, stdout=out)
    except CommandError as error:
        return json.loads(out.getvalue()) | {"failed": str(error)}
    return json.loads(out.getvalue())


def test_a_folder_is_imported_through_and_through(owner: User, tmp_path: Path) -> None:
    an_image_file(tmp_path, "a.jpg")
    (tmp_path / "2024" / "summer").mkdir(parents=True)
    an_image_file(tmp_path / "2024", "b.png", kind="PNG")
    path = an_image_file(tmp_path / "2024" / "summer", "c.webp", kind="WEBP")
    os.utime(path, (1_500_000_000, 1_500_000_000))

    result = run(tmp_path)
    assert (result["new"], result["known"], result["left_out"]) == (3, 0, [])
    photos = Photo.objects.filter(owner=owner)
    assert set(photos.values_list("file_name", flat=True)) == {"a.jpg", "b.png", "c.webp"}
    assert photos.get(file_name="c.webp").shown_at.timestamp() == 1_500_000_000
    assert all(originals().exists(photo.original_name) for photo in photos)


def test_importing_again_adds_nothing_and_goes_on_where_it_stopped(
    owner: User, tmp_path: Path
) -> None:
    an_image_file(tmp_path, "first.jpg")
    assert run(tmp_path)["new"] == 1
    before = list(Photo.objects.values_list("pk", "uploaded_at"))

    again = run(tmp_path)
    assert (again["new"], again["known"]) == (0, 1)
    assert list(Photo.objects.values_list("pk", "uploaded_at")) == before

    an_image_file(tmp_path, "second.jpg")
    assert run(tmp_path)["new"] == 1


def test_what_is_no_photo_is_left_out_with_a_reason(owner: User, tmp_path: Path) -> None:
    an_image_file(tmp_path, "good.jpg")
    (tmp_path / "notes.txt").write_text("not a photo")
    result = run(tmp_path)
    assert result["new"] == 1
    assert "failed" not in result
    assert [(entry["path"], entry["code"]) for entry in result["left_out"]] == [
        (str(tmp_path / "notes.txt"), "not_an_image")
    ]
    assert result["left_out"][0]["reason"].startswith("notes.txt was not added: ")


def test_a_photo_that_cannot_be_added_fails_the_command(owner: User, tmp_path: Path) -> None:
    (tmp_path / "cut.jpg").write_bytes(image_bytes(size=(640, 480))[:2000])
    an_image_file(tmp_path, "good.jpg")
    result = run(tmp_path)
    assert result["new"] == 1
    assert [entry["code"] for entry in result["left_out"]] == ["truncated"]
    assert "could not be added" in result["failed"]


def test_the_summary_is_readable(owner: User, tmp_path: Path) -> None:
    an_image_file(tmp_path, "good.jpg")
    (tmp_path / "notes.txt").write_text("not a photo")
    out = io.StringIO()
    call_command("import_photos", str(tmp_path), stdout=out)  # the only user needs no --user
    assert "Photos added: 1, in the library already: 0" in out.getvalue()
    assert f"{tmp_path / 'notes.txt'}: notes.txt was not added" in out.getvalue()


def test_hidden_files_and_loops_of_links_are_ignored(tmp_path: Path) -> None:
    (tmp_path / ".hidden").mkdir()
    for name in (".dot.jpg", ".hidden/a.jpg", "b.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "broken.jpg").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "c.jpg").touch()
    (tmp_path / "linked").symlink_to(tmp_path / "elsewhere")
    found = [path.relative_to(tmp_path).as_posix() for path in find_files([tmp_path])]
    assert found == ["b.jpg", "elsewhere/c.jpg"]


def test_thousands_of_files_are_fine(owner: User, tmp_path: Path) -> None:
    """Three pictures under two thousand names: each is added once, the rest are known."""
    pictures = [image_bytes(size=(8, 8), kind="PNG") for _ in range(3)]
    for number in range(2_000):
        (tmp_path / f"{number:04}.png").write_bytes(pictures[number % 3])
    result = run(tmp_path)
    assert (result["files"], result["new"], result["known"]) == (2_000, 3, 1_997)


def test_names_that_are_no_text_are_imported(owner: User, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg"))
    path.write_bytes(image_bytes())
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt"))).write_text("no photo")
    result = run(tmp_path)
    assert result["new"] == 1
    assert result["left_out"][0]["path"].endswith("\N{REPLACEMENT CHARACTER}.txt")
    assert Photo.objects.get().file_name == "caf?.jpg"


def test_a_file_that_may_not_be_read_is_told(owner: User, tmp_path: Path) -> None:
    """/proc/self/mem is a file that the system lets nobody read from its start, not even root."""
    (tmp_path / "locked.jpg").symlink_to("/proc/self/mem")
    result = run(tmp_path / "locked.jpg")
    assert result["left_out"][0]["code"] in {"unreadable", "empty"}
    assert "failed" in result


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_may_not_be_listed_is_told(owner: User, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    assert run(tmp_path)["left_out"][0]["code"] == "unreadable"


def test_a_missing_folder_or_user_stops_before_anything_happens(
    owner: User, tmp_path: Path
) -> None:
    an_image_file(tmp_path, "good.jpg")
    with pytest.raises(CommandError, match="does not exist"):
        call_command("import_photos", str(tmp_path), str(tmp_path / "missing"))
    with pytest.raises(CommandError, match="There is no user bob"):
        call_command("import_photos", str(tmp_path), user="bob")
    a_user("carla")
    with pytest.raises(CommandError, match="--user NAME"):
        call_command("import_photos", str(tmp_path))
    assert not Photo.objects.exists()
