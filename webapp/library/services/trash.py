"""Trash, restore, delete for good: reversible until the last."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from webapp.find.index.documents import forget_photos
from webapp.library.models import ChangeCounter, DeletedPhoto, Photo, PhotoQuerySet
from webapp.library.services.thumbnails import delete_thumbnails
from webapp.library.storage import originals
from workers import queue

if TYPE_CHECKING:
    from webapp.accounts.models import User

PART = 500  # photos in one transaction


@transaction.atomic
def trash_photos(photos: PhotoQuerySet) -> int:
    """Move photos to the trash; search forgets them at once. Returns how many moved."""
    ids = photos.in_library().lock()
    chosen = Photo.objects.filter(pk__in=ids)
    chosen.update(trashed_at=timezone.now())
    chosen.mark_changed()
    return len(ids)


@transaction.atomic
def restore_photos(photos: PhotoQuerySet) -> int:
    """Take photos out of the trash. Returns how many came back."""
    ids = photos.in_trash().lock()
    chosen = Photo.objects.filter(pk__in=ids)
    chosen.update(trashed_at=None)
    chosen.mark_changed()
    transaction.on_commit(queue.there_is_work)
    return len(ids)


def delete_photos(photos: PhotoQuerySet) -> int:
    """Delete photos in the trash for good, with their files. Returns how many."""
    with transaction.atomic():
        rows = photos.in_trash().order_by("pk").select_for_update()
        doomed = list(rows.values_list("pk", "sha256"))
        ids = [pk for pk, _ in doomed]
        Photo.objects.filter(pk__in=ids).delete()
        DeletedPhoto.remember(ids)
        forget_photos(ids)
    delete_unused_files({sha256 for _, sha256 in doomed})
    return len(ids)


def empty_trash(user: "User") -> int:
    """Delete what is in the user's trash for good, a part at a time. Returns how many photos."""
    count = 0
    while ids := list(
        Photo.objects.visible_to(user).in_trash().values_list("pk", flat=True)[:PART]
    ):
        count += delete_photos(Photo.objects.filter(pk__in=ids))
    return count


def expired_trash() -> PhotoQuerySet:
    """Photos that have been in the trash for longer than the setting allows."""
    limit = timezone.now() - timedelta(days=settings.MAREA_TRASH_DAYS)
    return Photo.objects.filter(trashed_at__lt=limit)


@transaction.atomic
def delete_unused_files(hashes: set[str]) -> None:
    """Delete the files of these hashes, except where another photo has the same bytes.

    The counter's lock keeps uploads of the same bytes apart from this: either their row is seen
    here, or they find the file gone and store it again (`adding._create`).
    """
    ChangeCounter.next()
    used = set(Photo.objects.filter(sha256__in=hashes).values_list("sha256", flat=True))
    for sha256 in hashes - used:
        originals().delete(Photo(sha256=sha256).original_name)
        delete_thumbnails(sha256)
