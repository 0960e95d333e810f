"""Text in photos on its way from the thumbnail into search, with the real networks."""

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from tests.factories import a_photo, a_sight, a_user
from tests.vision.signs import a_sign, encoded
from vision.reading import ENGINE
from webapp.find.services import find_photos
from webapp.library.models import Photo
from webapp.library.services.thumbnails import delete_thumbnails, store_thumbnails, thumbnail_path
from webapp.library.services.trash import trash_photos
from webapp.teach import reading as rows
from webapp.teach.text_models import ReadText
from workers import idling, queue, reading, tasks

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture(autouse=True)
def nothing_seen_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_nothing_waits_before", 0)


def a_photo_of(*lines: str) -> Photo:
    """A ready photo on which a sign says this."""
    photo = a_sign(*lines) if lines else None
    data = encoded(photo) if photo else None
    row = a_photo(a_user(), data=data, width=1000, height=700)
    if photo:
        store_thumbnails(row.sha256, {"large": encoded(photo, "WEBP")})
    a_sight(row)
    return row


def texts(photo: Photo) -> list[str]:
    return list(ReadText.objects.filter(photo=photo).values_list("text", flat=True))


def test_what_a_sign_says_is_found_and_named_as_the_reason() -> None:
    photo = a_photo_of("HOTEL ROMA")

    tasks.read_texts()

    (found,) = find_photos(photo.owner, "hotel roma").found
    assert found.photo == photo
    assert found.reasons[0] == "text in photo: ‘HOTEL ROMA’"
    assert [hit.photo for hit in find_photos(photo.owner, '"hotel roma"').found] == [photo]
    assert find_photos(photo.owner, '"roma hotel"').found == []


def test_a_photo_without_text_is_read_once_as_well() -> None:
    photo = a_photo_of()
    for _ in range(2):
        tasks.read_texts()

    row = ReadText.objects.get(photo=photo)
    assert (row.text, row.lines, row.attempts, row.engine) == ("", [], 1, ENGINE)
    assert not rows.some_wait()


def test_an_old_library_is_worked_off_by_itself() -> None:
    photo = a_photo_of("BAKERY")  # seen before there was any reading

    tasks.sweep()
    assert queue.redis().llen("reading") == 1
    tasks.read_texts()

    assert texts(photo) == ["BAKERY"]


def test_the_end_of_a_first_look_asks_for_reading() -> None:
    tasks.look_at_photos()

    assert queue.redis().llen("reading") == 1


def test_reading_waits_while_photos_wait_for_their_first_look() -> None:
    photo = a_photo_of("BAKERY")
    waiting = a_photo(a_user(), state=Photo.State.WAITING)

    tasks.read_texts()
    assert texts(photo) == []

    waiting.delete()
    tasks.read_texts()
    assert texts(photo) == ["BAKERY"]


def test_switched_off_nothing_is_read(settings: Settings) -> None:
    settings.MAREA_OCR = False
    photo = a_photo_of("BAKERY")

    tasks.sweep()
    tasks.read_texts()

    assert queue.redis().llen("reading") == 0
    assert texts(photo) == []


def test_photos_that_come_later_are_read_too() -> None:
    a_photo_of()
    tasks.read_texts()
    later = a_photo_of("BAKERY")

    tasks.read_texts()

    assert texts(later) == ["BAKERY"]


def test_photos_in_the_trash_are_not_read() -> None:
    photo = a_photo_of("BAKERY")
    trash_photos(Photo.objects.filter(pk=photo.pk))

    tasks.read_texts()

    assert texts(photo) == []


def test_a_lost_thumbnail_is_made_again() -> None:
    photo = a_photo_of("BAKERY")
    delete_thumbnails(photo.sha256)

    tasks.read_texts()

    assert texts(photo) == ["BAKERY"]


def test_a_photo_that_cannot_be_read_is_set_aside_and_holds_up_nobody() -> None:
    broken, whole = a_photo_of("NO"), a_photo_of("BAKERY")
    thumbnail_path(broken.sha256, "large").write_bytes(b"RIFF\0\0\0\0WEBPVP8 ")

    tasks.read_texts()

    assert texts(whole) == ["BAKERY"]
    assert ReadText.objects.set_aside().get().photo == broken
    broken.refresh_from_db()
    assert broken.state == Photo.State.READY


def test_a_photo_that_kills_its_worker_is_given_up_after_three_attempts() -> None:
    photo = a_photo_of("BAKERY")
    for _ in range(3):
        assert rows.begin(photo)
        assert not rows.begin(photo)  # held by a worker that still lives
        ReadText.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        assert reading.some_wait()

    tasks.read_texts()

    assert ReadText.objects.get().failed == rows.GIVEN_UP
    assert texts(photo) == [""]
    assert not reading.some_wait()


def test_a_worker_that_dies_loses_nothing() -> None:
    """The attempt is in the database before the photo is touched."""
    photo = a_photo_of("BAKERY")
    tasks.read_texts()
    ReadText.objects.update(read_at=None, text="", lease_until=timezone.now() - timedelta(hours=1))

    assert reading.some_wait()
    tasks.read_texts()

    assert texts(photo) == ["BAKERY"]
    assert ReadText.objects.get().attempts == 2


def test_another_engine_reads_anew_and_the_old_text_stands_until_then() -> None:
    photo = a_photo_of("BAKERY")
    ReadText.objects.create(
        photo=photo, engine="an older one", text="BAKFRY", read_at=timezone.now()
    )
    rows.index_photos([photo.pk])
    assert [hit.photo for hit in find_photos(photo.owner, '"bakfry"').found] == [photo]

    tasks.read_texts()

    assert texts(photo) == ["BAKERY"]
    assert find_photos(photo.owner, '"bakfry"').found == []


def test_an_idle_worker_lets_go_of_the_networks() -> None:
    a_photo_of("BAKERY")
    tasks.read_texts()
    assert reading.load_reader.cache_info().currsize == 1

    idling.let_go()

    assert reading.load_reader.cache_info().currsize == 0


def test_the_web_process_loads_no_networks_for_reading(tmp_path: Path) -> None:
    code = (
        "import webapp.wsgi, sys; from django.urls import get_resolver; "
        "get_resolver().url_patterns; print([m for m in ('cv2', 'rapidocr') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"DJANGO_SETTINGS_MODULE": "webapp.settings", "MAREA_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_stopping_ends_between_two_photos() -> None:
    a_photo_of("BAKERY")
    started = time.monotonic()

    reading.read_texts(seconds=60, stopping=lambda: True)

    assert not ReadText.objects.exists()
    assert time.monotonic() - started < 60
