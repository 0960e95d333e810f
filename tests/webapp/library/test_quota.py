"""A quota holds also where several files arrive at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from django.db import connection
from pytest_django import Settings

from tests.factories import a_user, image_bytes
from webapp.accounts.models import User
from webapp.errors import TooLarge
from webapp.library.models import Photo, Upload
from webapp.library.services.adding import add_photo, hash_file, used_bytes
from webapp.library.services.uploads import start_upload
from webapp.library.storage import originals

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 6


def at_once(work: Callable[[int], object]) -> int:
    """Do `work(0)`, `work(1)`, … at the same moment; how many were not refused."""
    barrier = Barrier(AT_ONCE)

    def one(number: int) -> bool:
        barrier.wait()
        try:
            work(number)
        except TooLarge:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return sum(threads.map(one, range(AT_ONCE)))


def test_files_announced_at_once_are_all_counted(settings: Settings) -> None:
    settings.MAREA_USER_QUOTA_MB = 3
    user = a_user()

    passed = at_once(lambda n: start_upload(user, file_name=f"{n}.jpg", size_bytes=2 << 20))

    assert passed == Upload.objects.filter(owner=user).count() == 1


def test_photos_stored_at_once_are_all_counted(settings: Settings, tmp_path: Path) -> None:
    settings.MAREA_USER_QUOTA_MB = 1
    user = a_user()
    for number in range(AT_ONCE):
        data = image_bytes() + bytes(700 << 10)  # what follows a JPEG's end is ignored
        (tmp_path / f"{number}.jpg").write_bytes(data)

    def add(number: int) -> None:
        owner = User.objects.get(pk=user.pk)
        add_photo(owner, tmp_path / f"{number}.jpg", file_name=f"{number}.jpg")

    assert at_once(add) == 1
    assert used_bytes(user) <= 1 << 20
    hashes = {hash_file(path) for path in tmp_path.iterdir()}
    stored = {sha for sha in hashes if originals().exists(Photo(sha256=sha).original_name)}
    assert stored == set(Photo.objects.values_list("sha256", flat=True))
