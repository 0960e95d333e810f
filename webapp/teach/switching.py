"""From one model version to another.

Results of each version live beside those of the others. The active one serves until the next has
looked at every photo; then one row is switched.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from vision.decoding import UnreadableImage
from vision.sight import Image
from webapp.errors import Conflict
from webapp.find.building import build_index
from webapp.find.documents import index_photos
from webapp.library.models import Photo, PhotoQuerySet
from webapp.library.services.decoding import render
from webapp.teach.models import ModelVersion, Sight, lacking_sight
from webapp.teach.services import Seen, sight_of, store_model_tags
from workers import queue

logger = logging.getLogger(__name__)

BATCH = 500


class Looks(Protocol):
    """A `vision.eye.Eye`, named here by its shape so that torch stays out of this process."""

    @property
    def input_size(self) -> int: ...
    def look(self, images: Sequence[Image]) -> Sequence[Seen]: ...


def unseen(version: ModelVersion) -> PhotoQuerySet:
    """Photos in use that the version has not looked at."""
    ready = Photo.objects.filter(state=Photo.State.READY)
    return lacking_sight(ready, version)  # type: ignore[return-value]


def look_ahead(
    version: ModelVersion, eye: Looks, *, looked: Callable[[int], object] = bool
) -> list[int]:
    """Let a version that is not active yet look at what it lacks; the active one goes on serving.

    Calls `looked` with the size of each batch. Returns the photos that cannot be read. Safe to
    interrupt: what was looked at stays.
    """
    unreadable: list[int] = []
    with ThreadPoolExecutor(settings.MAREA_DECODERS) as threads:
        while photos := _next_unseen(version, unreadable):
            pixels = list(threads.map(lambda photo: _pixels(photo, eye.input_size), photos))
            unreadable += [p.pk for p, image in zip(photos, pixels, strict=True) if image is None]
            readable = [(p, i) for p, i in zip(photos, pixels, strict=True) if i is not None]
            seen = eye.look([image for _, image in readable])
            Sight.objects.bulk_create(
                [sight_of(p, version, s) for (p, _), s in zip(readable, seen, strict=True)],
                ignore_conflicts=True,
            )
            looked(len(photos))
    return unreadable


def _next_unseen(version: ModelVersion, unreadable: Sequence[int]) -> list[Photo]:
    photos = unseen(version).exclude(pk__in=unreadable).order_by("pk")
    return list(photos[: settings.MAREA_LOOK_BATCH])


def _pixels(photo: Photo, size: int) -> Image | None:
    try:
        return render(photo, network_size=size, thumbnails={}).pixels
    except UnreadableImage as error:
        logger.warning("not_looked_at photo=%d code=%s", photo.pk, error.code)
        return None


def activate(version: ModelVersion) -> None:
    """Switch to `version`, then bring tags and words in line; photos it lacks are queued."""
    build_index(version)
    with transaction.atomic():
        ModelVersion.objects.filter(is_active=True).exclude(pk=version.pk).update(is_active=False)
        version.is_active, version.activated_at = True, timezone.now()
        version.save(update_fields=["is_active", "activated_at"])
    logger.info("activated version=%s", version.name)
    _retell(version)
    if unseen(version).update(state=Photo.State.WAITING, attempts=0):
        queue.there_is_work()


def _retell(version: ModelVersion) -> None:
    """The model's tags and the full-text rows, from this version's sights."""
    for sights in _batches(version):
        with transaction.atomic():
            # Locked, and without those that were deleted since they were read.
            there = set(Photo.objects.filter(pk__in=[s.photo_id for s in sights]).lock())
            kept = [(sight.photo, sight) for sight in sights if sight.photo_id in there]
            store_model_tags(version, kept)
            index_photos(sorted(there))


def _batches(version: ModelVersion) -> Iterator[list[Sight]]:
    last = 0
    sights = Sight.objects.filter(version=version).select_related("photo").defer("embedding")
    while batch := list(sights.filter(photo_id__gt=last).order_by("photo_id")[:BATCH]):
        yield batch
        last = batch[-1].photo_id


def previous_version() -> ModelVersion:
    """The version that was active before the present one. Raises `Conflict` if there was none."""
    earlier = ModelVersion.objects.filter(is_active=False).exclude(activated_at=None)
    previous = earlier.order_by("-activated_at").first()
    if previous is None:
        raise Conflict("No other version was active before. Nothing was changed.")
    return previous
