"""Looking: photos become ready, and each failure costs no more than the photo it belongs to."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from django.utils import timezone
from pytest_django import Settings

from tests.factories import a_photo, a_user, image_bytes
from vision.eye import Eye
from vision.sight import Image, Sight
from webapp.accounts.models import User
from webapp.library.models import Photo
from webapp.library.services.thumbnails import has_thumbnails
from webapp.library.storage import originals
from webapp.teach.models import Sight as StoredSight
from workers import looking

pytestmark = pytest.mark.django_db


class FlinchingEye:
    """The real eye, but one that cannot bear red photos."""

    def __init__(self, eye: Eye) -> None:
        self.eye = eye
        self.input_size = eye.input_size

    def look(self, images: Sequence[Image]) -> list[Sight]:
        for image in images:
            red, green, blue = image.reshape(-1, 3).mean(axis=0)
            if red > 200 and green < 50 and blue < 50:
                raise ValueError("red")
        return self.eye.look(images)


class Bucket(Storage):
    """A storage without paths on this machine, as S3 is one."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def _open(self, name: str, mode: str) -> ContentFile:
        if name not in self.objects:
            raise FileNotFoundError(name)
        return ContentFile(self.objects[name])

    def _save(self, name: str, content: File) -> str:
        self.objects[name] = content.read()
        return name

    def exists(self, name: str) -> bool:
        return name in self.objects

    def delete(self, name: str) -> None:
        del self.objects[name]


@pytest.fixture
def owner() -> User:
    return a_user()


def waiting(owner: User, **fields: Any) -> Photo:
    return a_photo(owner, state=Photo.State.WAITING, with_thumbnails=False, **fields)


def a_red_file() -> bytes:
    import io

    from PIL import Image as Picture

    file = io.BytesIO()
    Picture.new("RGB", (64, 48), (255, 0, 0)).save(file, "JPEG")
    return file.getvalue()


def look() -> int:
    return looking.look(seconds=60, stopping=lambda: False)


def let_leases_run_out() -> None:
    past = timezone.now() - timedelta(seconds=1)
    Photo.objects.exclude(lease_until=None).update(lease_until=past)


def test_waiting_photos_become_ready_with_all_that_is_shown_of_them(owner: User) -> None:
    photos = [waiting(owner) for _ in range(3)]

    assert look() == 3

    for photo in photos:
        photo.refresh_from_db()
        assert (photo.state, photo.holder, photo.attempts) == (Photo.State.READY, "", 1)
        assert has_thumbnails(photo.sha256)
        assert photo.placeholder.startswith(b"RIFF")
        embedding = np.frombuffer(photo.sights.get().embedding, "<f2").astype(np.float32)
        assert embedding.shape == (512,)
        assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-2)


def test_looking_again_does_nothing(owner: User) -> None:
    waiting(owner)
    look()
    before = list(StoredSight.objects.values())

    assert look() == 0

    assert list(StoredSight.objects.values()) == before


def test_more_photos_than_a_batch_are_all_looked_at_once(owner: User, settings: Settings) -> None:
    settings.MAREA_LOOK_BATCH = 2
    for _ in range(5):
        waiting(owner)

    assert look() == 5

    assert set(Photo.objects.values_list("state", "attempts")) == {(Photo.State.READY, 1)}


def test_an_unreadable_photo_fails_alone_and_says_why(owner: User) -> None:
    good = waiting(owner)
    whole = image_bytes(size=(200, 150))
    cut_off = waiting(owner, data=whole[: len(whole) // 2])

    assert look() == 1

    good.refresh_from_db()
    cut_off.refresh_from_db()
    assert good.state == Photo.State.READY
    assert cut_off.state == Photo.State.FAILED
    assert cut_off.error.startswith("The file is cut off")


def test_a_photo_that_the_network_fails_on_is_tried_again_and_then_set_aside(
    owner: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = looking.load_eye
    monkeypatch.setattr(looking, "load_eye", lambda folder: FlinchingEye(real(folder)))
    others = [waiting(owner) for _ in range(3)]
    red = waiting(owner, data=a_red_file())

    assert look() == 3
    assert not red.sights.exists()

    for attempt in range(1, settings.MAREA_MAX_ATTEMPTS + 1):
        red.refresh_from_db()
        assert (red.state, red.attempts) == (Photo.State.WAITING, attempt)
        assert look() == 0  # not before its time
        let_leases_run_out()
        look()
        if attempt == settings.MAREA_MAX_ATTEMPTS - 1:
            break

    red.refresh_from_db()
    assert (red.state, red.attempts) == (Photo.State.FAILED, settings.MAREA_MAX_ATTEMPTS)
    assert "ValueError" in red.error
    assert StoredSight.objects.count() == len(others)


def test_a_photo_whose_original_is_gone_is_tried_again_later(owner: User) -> None:
    photo = waiting(owner)
    originals().delete(photo.original_name)

    assert look() == 0

    photo.refresh_from_db()
    assert photo.state == Photo.State.WAITING
    assert photo.error == "The file could not be opened for reading."


def test_originals_in_a_bucket_are_looked_at_from_a_copy(owner: User, settings: Settings) -> None:
    bucket = {"BACKEND": f"{__name__}.Bucket"}
    settings.STORAGES = settings.STORAGES | {"originals": bucket}
    there, lost = waiting(owner), waiting(owner)
    originals().delete(lost.original_name)

    assert look() == 1

    there.refresh_from_db()
    lost.refresh_from_db()
    assert there.state == Photo.State.READY
    assert lost.error == "The file could not be opened for reading."


def test_a_shutdown_gives_back_what_was_not_looked_at(owner: User, settings: Settings) -> None:
    settings.MAREA_LOOK_BATCH = 2
    for _ in range(6):
        waiting(owner)
    asked = iter([False, True])

    assert looking.look(seconds=60, stopping=lambda: next(asked, True)) == 2

    left = Photo.objects.waiting()
    assert set(left.values_list("holder", "lease_until", "attempts")) == {("", None, 0)}
    assert left.count() == 4


def test_when_time_is_up_no_more_is_claimed(owner: User, settings: Settings) -> None:
    settings.MAREA_LOOK_BATCH = 2
    for _ in range(6):
        waiting(owner)

    assert looking.look(seconds=0, stopping=lambda: False) == 2

    assert set(Photo.objects.waiting().values_list("attempts", flat=True)) == {0}


def test_trouble_that_is_no_photos_fault_costs_no_attempt(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(owner)

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(looking, "store_thumbnails", full_disk)

    with pytest.raises(OSError, match="No space left"):
        look()

    assert list(Photo.objects.values_list("state", "attempts", "holder")) == [("waiting", 0, "")]
