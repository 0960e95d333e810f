"""Adding a photo: the one way into the library, for the browser, programs and folders alike."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone

from vision.decoding import DecoderUnavailable, Inspection, UnreadableImage
from webapp.accounts.models import User
from webapp.albums.models import PhotoFolder
from webapp.errors import Refused, TooLarge, Unavailable
from webapp.find.index.documents import index_photos
from webapp.library.file_names import folder_of, tidy_file_name
from webapp.library.models import ChangeCounter, Photo
from webapp.library.services.decoding import decoders
from webapp.library.services.places import place, remember_places
from webapp.library.services.trash import delete_unused_files, restore_photos
from webapp.library.storage import full_disk_is_told, originals
from workers import queue


class Outcome(Enum):
    """What became of a file."""

    NEW = "new"
    KNOWN = "known"
    RESTORED = "restored"


@dataclass(frozen=True)
class Added:
    photo: Photo
    outcome: Outcome


def add_photo(
    owner: User, path: Path, *, file_name: str, modified_at: datetime | None = None
) -> Added:
    """Put the file at `path` into the library of `owner`; the file itself is left as it is.

    `file_name` may be a path: the names of its last folders are remembered, too.

    A file whose bytes the owner already has is recognised; one in the trash is restored.
    Raises a `webapp.errors.UserError` that names the file and the reason when it is refused.
    """
    name = tidy_file_name(file_name)
    size_bytes = path.stat().st_size
    check_size(owner, name, size_bytes)
    sha256 = hash_file(path)
    known = find_known(owner, sha256)
    if known:
        return known
    inspection = _inspect(path, name)
    _store_original(path, sha256)
    photo = _photo(owner, name, size_bytes, sha256, inspection, modified_at)
    place(photo)
    return _create(photo, path, folder_of(file_name))


def check_size(owner: User, name: str, size_bytes: int, *, reserved_bytes: int = 0) -> None:
    """Raise `TooLarge` when a file of this size may not be added beside those on their way."""
    limit = settings.MAREA_MAX_FILE_MB << 20
    if size_bytes > limit:
        raise TooLarge(
            f"{name} is {_megabytes(size_bytes)}; photos may be at most "
            f"{settings.MAREA_MAX_FILE_MB} MB. It was not uploaded.",
            field="file",
        )
    check_quota(owner, name, reserved_bytes + size_bytes)


def check_quota(owner: User, name: str, size_bytes: int) -> None:
    """Raise `TooLarge` when `size_bytes` more are beyond what the owner's photos may take."""
    quota = settings.MAREA_USER_QUOTA_MB << 20
    if quota and used_bytes(owner) + size_bytes > quota:
        raise TooLarge(
            f"{name} does not fit: your photos may take {settings.MAREA_USER_QUOTA_MB} MB in all. "
            "It was not uploaded; delete some photos for good or ask the administrator for more.",
            code="quota",
            field="file",
        )


def used_bytes(owner: User) -> int:
    """Bytes of all originals of `owner`, trash included."""
    return Photo.objects.visible_to(owner).aggregate(sum=Sum("size_bytes"))["sum"] or 0


def hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_known(owner: User, sha256: str) -> Added | None:
    """The owner's photo with these bytes, taken out of the trash if it was there."""
    photo = Photo.objects.visible_to(owner).filter(sha256=sha256).first()
    if photo is None:
        return None
    if photo.trashed_at is None:
        return Added(photo, Outcome.KNOWN)
    if not restore_photos(Photo.objects.visible_to(owner).filter(pk=photo.pk)):
        return find_known(owner, sha256)  # deleted or restored in this very moment
    photo.trashed_at = None
    return Added(photo, Outcome.RESTORED)


def _inspect(path: Path, name: str) -> Inspection:
    try:
        return decoders().inspect(path)
    except UnreadableImage as error:
        raise Refused(
            f"{name} was not added: {error.message}", code=error.code, field="file"
        ) from error
    except DecoderUnavailable as error:
        raise Unavailable(
            f"{name} was not added: the program that reads photos did not start on the server. "
            "Try again in a minute, or tell the administrator."
        ) from error


def _store_original(path: Path, sha256: str) -> None:
    name = Photo(sha256=sha256).original_name
    storage = originals()
    if not storage.exists(name):
        with path.open("rb") as file:
            storage.save(name, File(file))


def _photo(
    owner: User,
    name: str,
    size_bytes: int,
    sha256: str,
    inspection: Inspection,
    modified_at: datetime | None,
) -> Photo:
    now = timezone.now()
    taken_at = inspection.taken_at.replace(tzinfo=UTC) if inspection.taken_at else None
    return Photo(
        owner=owner,
        sha256=sha256,
        file_name=name,
        size_bytes=size_bytes,
        media_type=inspection.media_type,
        width=inspection.width,
        height=inspection.height,
        taken_at=taken_at,
        uploaded_at=now,
        shown_at=taken_at or _on_the_wall(_plausible(modified_at, now) or now),
        camera=inspection.camera,
        lens=inspection.lens,
        latitude=inspection.latitude,
        longitude=inspection.longitude,
    )


@full_disk_is_told()
def _create(photo: Photo, path: Path, folder: str) -> Added:
    """Save the row; the original is then certain to be there (see `trash.delete_photos`)."""
    try:
        with transaction.atomic():
            ChangeCounter.next()  # its lock keeps deletion from removing the same bytes meanwhile
            check_quota(photo.owner, photo.file_name, photo.size_bytes)  # others came meanwhile
            photo.save()
            _store_original(path, photo.sha256)
            remember_places([photo])
            if folder:
                PhotoFolder.objects.create(photo=photo, path=folder)
            index_photos([photo.pk])  # its name can be found before anybody has looked at it
            transaction.on_commit(queue.there_is_work)
    except IntegrityError:  # the same bytes arrived twice at the same time
        known = find_known(photo.owner, photo.sha256)
        if known is None:
            raise
        return known
    except TooLarge:
        delete_unused_files({photo.sha256})
        raise
    return Added(photo, Outcome.NEW)


def _plausible(modified_at: datetime | None, now: datetime) -> datetime | None:
    """A file's own time, unless its clock was off."""
    if modified_at and datetime(1990, 1, 1, tzinfo=UTC) < modified_at <= now:
        return modified_at
    return None


def _on_the_wall(moment: datetime) -> datetime:
    """What clocks here showed at `moment`, kept as if it were UTC, as the camera's time is."""
    return timezone.localtime(moment).replace(tzinfo=UTC)


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 20):,.0f} MB"
