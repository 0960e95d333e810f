"""Adding photos: recognised, refused or stored, and never half of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from tests.factories import a_user, an_image_file
from webapp.errors import Refused, TooLarge
from webapp.library.models import Photo
from webapp.library.services.adding import Outcome, add_photo
from webapp.library.services.trash import delete_photos, trash_photos
from webapp.library.storage import originals

pytestmark = pytest.mark.django_db


def mine(user):
    return Photo.objects.visible_to(user)


def test_a_photo_is_stored_under_its_hash_and_waits(tmp_path: Path):
    user = a_user()
    path = an_image_file(tmp_path, "beach.jpg", size=(80, 60))

    added = add_photo(user, path, file_name="holiday/beach.jpg")

    photo = mine(user).get()
    assert added.outcome is Outcome.NEW
    assert (photo.file_name, photo.width, photo.height) == ("beach.jpg", 80, 60)
    assert photo.state == Photo.State.WAITING
    assert originals().open(photo.original_name).read() == path.read_bytes()


def test_the_same_bytes_are_recognised(tmp_path: Path):
    user, path = a_user(), an_image_file(tmp_path)
    first = add_photo(user, path, file_name="a.jpg").photo

    again = add_photo(user, path, file_name="b.jpg")

    assert again.outcome is Outcome.KNOWN
    assert again.photo == first
    assert mine(user).count() == 1


def test_a_photo_in_the_trash_comes_back(tmp_path: Path):
    user, path = a_user(), an_image_file(tmp_path)
    add_photo(user, path, file_name="a.jpg")
    trash_photos(mine(user))

    again = add_photo(user, path, file_name="a.jpg")

    assert again.outcome is Outcome.RESTORED
    assert mine(user).in_library().count() == 1


def test_two_owners_share_bytes_and_one_deleting_leaves_the_others(tmp_path: Path):
    ann, bob, path = a_user(), a_user(), an_image_file(tmp_path)
    add_photo(ann, path, file_name="a.jpg")
    bobs = add_photo(bob, path, file_name="a.jpg").photo

    trash_photos(mine(ann))
    delete_photos(mine(ann))

    assert not mine(ann).exists()
    assert originals().exists(bobs.original_name)

    trash_photos(mine(bob))
    delete_photos(mine(bob))

    assert not originals().exists(bobs.original_name)


def test_a_file_that_is_no_photo_is_refused_with_its_name_and_reason(tmp_path: Path):
    path = tmp_path / "notes.jpg"
    path.write_text("not a photo")

    with pytest.raises(Refused, match=r"^notes\.jpg was not added: .+\.$") as refusal:
        add_photo(a_user(), path, file_name="notes.jpg")

    assert refusal.value.code == "not_an_image"
    assert not Photo.objects.exists()


def test_a_file_beyond_the_limit_is_refused(tmp_path: Path, settings):
    settings.MAREA_MAX_FILE_MB = 1
    path = an_image_file(tmp_path)
    with path.open("ab") as file:
        file.write(b"\0" * (2 << 20))

    with pytest.raises(TooLarge, match="may be at most 1 MB"):
        add_photo(a_user(), path, file_name="big.jpg")


def test_the_quota_counts_what_is_in_the_trash(tmp_path: Path, settings):
    user = a_user()
    add_photo(user, an_image_file(tmp_path, "a.jpg"), file_name="a.jpg")
    trash_photos(mine(user))
    mine(user).update(size_bytes=1 << 20)
    settings.MAREA_USER_QUOTA_MB = 1

    with pytest.raises(TooLarge, match="does not fit") as refusal:
        add_photo(user, an_image_file(tmp_path, "b.jpg"), file_name="b.jpg")

    assert refusal.value.code == "quota"


def test_a_photo_without_a_date_is_shown_at_its_files_time(tmp_path: Path):
    user = a_user()
    modified_at = datetime(2015, 6, 1, tzinfo=UTC)

    photo = add_photo(
        user, an_image_file(tmp_path), file_name="a.jpg", modified_at=modified_at
    ).photo

    assert photo.taken_at is None
    assert photo.shown_at == modified_at


def test_files_and_cameras_tell_the_time_of_the_same_clock(tmp_path: Path):
    modified_at = datetime(2015, 6, 1, 20, tzinfo=UTC)

    with timezone.override("Asia/Tokyo"):
        photo = add_photo(
            a_user(), an_image_file(tmp_path), file_name="a.jpg", modified_at=modified_at
        ).photo

    assert photo.shown_at == datetime(2015, 6, 2, 5, tzinfo=UTC)


def test_a_file_time_in_the_future_is_not_believed(tmp_path: Path):
    modified_at = timezone.now() + timedelta(days=400)

    photo = add_photo(
        a_user(), an_image_file(tmp_path), file_name="a.jpg", modified_at=modified_at
    ).photo

    assert photo.shown_at == photo.uploaded_at
