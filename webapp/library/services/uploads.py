"""Uploads on their way: the bytes so far are a file, and its size tells where to go on.

One writer at a time holds a lock on that file. When the last byte is there, the file is taken in: a
photo goes the way of every photo (`add_uploaded`), a ZIP of photos to train on that of data sets.
The upload is over then, whether the file was taken or refused.
"""

import fcntl
import io
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from webapp.accounts.models import User
from webapp.errors import Conflict, NoSpace, NotFound, TooLarge, UserError
from webapp.library.file_names import tidy_path
from webapp.library.models import Photo, Upload
from webapp.library.services.adding import Added, add_photo, check_size
from webapp.library.storage import full_disk_is_told

Taken = TypeVar("Taken")  # what came of a complete file

KEPT_FOR = timedelta(days=1)  # as `UploadQuerySet.stale`


class Locked(UserError):
    """Another request is writing to this upload."""

    status = 423
    code = "locked"


def start_upload(
    owner: User, *, file_name: str, size_bytes: int, modified_at: datetime | None = None
) -> Upload:
    """Announce a photo. Raises `TooLarge` when it may not be added, `NoSpace` on a full disk."""
    upload = Upload(
        owner=owner,
        file_name=tidy_path(file_name),
        size_bytes=size_bytes,
        modified_at=modified_at,
    )

    def check() -> None:
        reserved = _announced_bytes(owner)
        check_size(owner, upload.file_name, size_bytes, reserved_bytes=reserved)

    return announce(upload, check)


def announce(upload: Upload, check: Callable[[], None]) -> Upload:
    """Let an upload begin unless `check` raises why not. Raises `NoSpace` on a full disk."""
    upload.key = secrets.token_urlsafe(32)
    with _ended_when_full(upload), transaction.atomic():
        # Of two that are announced at once, the second counts the first.
        User.objects.select_for_update(no_key=True).get(pk=upload.owner_id)
        check()
        path_of(upload).touch(mode=0o600)
        upload.save()
    return upload


def find_upload(user: User, key: str, *, purpose: str = Upload.Purpose.PHOTO) -> Upload:
    """The user's upload; raises `NotFound` for unknown, expired and other people's keys alike."""
    upload = Upload.objects.visible_to(user).filter(key=key, purpose=purpose).first()
    if upload is None or expires_at(upload) < timezone.now():
        raise _unknown()
    return upload


def expires_at(upload: Upload) -> datetime:
    return upload.touched_at + KEPT_FOR


def path_of(upload: Upload) -> Path:
    return Path(settings.MAREA_UPLOADS) / upload.key


def offset_of(upload: Upload) -> int:
    """Bytes that need not be sent again.

    The last byte counts only when the photo is in the library: a client whose last answer was
    lost sends that byte again and gets it.
    """
    try:
        size_bytes = path_of(upload).stat().st_size
    except FileNotFoundError as error:
        raise _unknown() from error
    return min(size_bytes, max(upload.size_bytes - 1, 0))


def receive(
    upload: Upload, blocks: Iterable[bytes], *, offset: int, take: Callable[[Upload], Taken]
) -> Taken | None:
    """Write the bytes from `offset` on; when the file is complete, let `take` have it.

    Returns None while bytes are missing; `blocks` may end early. Raises `Conflict` for another
    offset than `offset_of`, `Locked` while another request writes, `NoSpace` on a full disk (the
    upload is then over) and what `take` raises.
    """
    with _ended_when_full(upload), _only_writer(upload) as file:
        if offset != offset_of(upload):
            raise Conflict(f"This upload goes on at byte {offset_of(upload)}, not {offset}.")
        _write(file, blocks, offset=offset, size_bytes=upload.size_bytes)
        if file.tell() == upload.size_bytes:
            return _finish(upload, take)
        os.fsync(file.fileno())
    Upload.objects.filter(pk=upload.pk).update(touched_at=timezone.now())
    return None


def end_upload(upload: Upload) -> None:
    """Forget an upload and its bytes. The file goes first: deleting the row may need its space."""
    path_of(upload).unlink(missing_ok=True)
    Upload.objects.filter(pk=upload.pk).delete()


def cancel_upload(upload: Upload) -> None:
    """End an upload that nobody is writing to; raises `Locked` otherwise."""
    with _only_writer(upload):
        end_upload(upload)


def expire_uploads() -> int:
    """Remove uploads that nobody has touched for a day, and files that no upload owns.

    Returns how many uploads were removed.
    """
    stale = list(Upload.objects.stale())
    for upload in stale:
        end_upload(upload)
    _remove_ownerless_files()
    return len(stale)


def known_photos(user: User, hashes: Iterable[str]) -> dict[str, int]:
    """Ids of the user's photos with these SHA-256s, by hash; photos in the trash are left out."""
    photos = Photo.objects.visible_to(user).in_library().filter(sha256__in=set(hashes))
    return dict(photos.values_list("sha256", "pk"))


def known_hashes(user: User, hashes: Iterable[str]) -> set[str]:
    """Those of the SHA-256s that the user's library has."""
    return set(known_photos(user, hashes))


def _announced_bytes(owner: User) -> int:
    """Bytes of the owner's uploads on their way: they count towards a quota already."""
    if not settings.MAREA_USER_QUOTA_MB:
        return 0
    photos = Upload.objects.visible_to(owner).filter(purpose=Upload.Purpose.PHOTO)
    return photos.aggregate(sum=Sum("size_bytes"))["sum"] or 0


@contextmanager
def _only_writer(upload: Upload) -> Iterator[io.FileIO]:
    """The upload's file, open for writing and locked against other requests."""
    try:
        file = io.FileIO(path_of(upload), "r+")
    except FileNotFoundError as error:
        raise _unknown() from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Locked("Another request is still sending this file. Try again soon.") from error
        if os.fstat(file.fileno()).st_nlink == 0:  # it ended between opening and locking
            raise _unknown()
        yield file


def _write(file: io.FileIO, blocks: Iterable[bytes], *, offset: int, size_bytes: int) -> None:
    file.seek(offset)
    for block in blocks:
        if file.tell() + len(block) > size_bytes:
            raise TooLarge(f"More bytes came than the {size_bytes:,} that were announced.")
        rest = memoryview(block)
        while rest:
            rest = rest[file.write(rest) :]


def add_uploaded(upload: Upload) -> Added:
    """Take a complete photo into the library; raises what `add_photo` raises."""
    return add_photo(
        upload.owner,
        path_of(upload),
        file_name=upload.file_name,
        modified_at=upload.modified_at,
    )


def _finish(upload: Upload, take: Callable[[Upload], Taken]) -> Taken:
    """A refusal ends the upload as an acceptance does."""
    try:
        taken = take(upload)
    except UserError:
        end_upload(upload)
        raise
    end_upload(upload)
    return taken


@contextmanager
def _ended_when_full(upload: Upload) -> Iterator[None]:
    """A full disk ends the upload, which gives its space back, and is told in a sentence."""
    try:
        with full_disk_is_told():
            yield
    except NoSpace:
        with suppress(DatabaseError):
            end_upload(upload)
        raise


def _remove_ownerless_files() -> None:
    """Files left by a crash, and Django's own temporary ones, once they are old."""
    limit = (timezone.now() - KEPT_FOR).timestamp()
    old = [path for path in Path(settings.MAREA_UPLOADS).iterdir() if _older(path, limit)]
    owned = set(
        Upload.objects.filter(key__in=[path.name for path in old]).values_list("key", flat=True)
    )
    for path in old:
        if path.name not in owned:
            path.unlink(missing_ok=True)


def _older(path: Path, timestamp: float) -> bool:
    with suppress(FileNotFoundError):
        return path.is_file() and path.stat().st_mtime < timestamp
    return False


def _unknown() -> NotFound:
    return NotFound("There is no such upload. It may have expired; send the file again.")
