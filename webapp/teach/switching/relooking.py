"""Another model version looks at the photos that it lacks, while the active one goes on serving.

What was seen is in the database after each batch, so whoever is interrupted goes on there. Photos
that wait for their first look come first: the re-look stands back while there are any and somebody
is there to look at them.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Protocol, Self

import numpy as np
from django.conf import settings

from vision.changes import completed, to_look_for
from vision.decoding import UnreadableImage
from vision.errors import NotFinite, WeightsError
from vision.sight import EVERYTHING, Image, Sight
from vision.versions import open_version
from webapp.library.models import Photo, PhotoQuerySet, Worker
from webapp.library.services.decoding import render
from webapp.teach.models import ModelVersion, lacking_sight
from webapp.teach.models import Sight as SightRow
from webapp.teach.services import sight_from
from webapp.teach.switching.readying import store_seen
from webapp.teach.versions.active import active_version, weights_folder

logger = logging.getLogger(__name__)

STANDS_BACK_S = 0.5  # how often it asks whether photos still wait
COUNTED_EVERY_S = 2.0  # what is left; among 100,000 photos that takes a tenth of a second
COPIED_AT_ONCE = 500  # sights that need no look
LOOKING = "Looking at every photo"
NOT_NUMBERS = "It gives results that are not numbers (NaN)."
STANDING_BACK = "Stands back: new photos are looked at first"

Tell = Callable[[str, int, int], object]  # step, done, total


class Looks(Protocol):
    """A `vision.eye.Eye`, named here by its shape so that torch stays out of this process."""

    @property
    def input_size(self) -> int: ...
    def look(self, images: Sequence[Image], *, wanted: frozenset[str] = ...) -> Sequence[Sight]: ...


def unseen(version: ModelVersion) -> PhotoQuerySet:
    """Photos in use that the version has not looked at, and that it may be able to read."""
    ready = Photo.objects.filter(state=Photo.State.READY).exclude(pk__in=version.unreadable)
    return lacking_sight(ready, version)  # type: ignore[return-value]


def look_ahead(version: ModelVersion, load: Callable[[], Looks], *, tell: Tell) -> None:
    """Let a version that is not active look at all that it lacks. What it cannot read is noted in
    its row."""
    last, done, left = 0, 0, unseen(version).count()
    counted = time.monotonic()
    with Looker(version, load) as looker:
        while photos := list(unseen(version).filter(pk__gt=last).order_by("pk")[: looker.batch]):
            _stand_back(tell, done, done + left)
            looker.look(photos)
            last, done, left = photos[-1].pk, done + len(photos), left - len(photos)
            if time.monotonic() - counted > COUNTED_EVERY_S:
                left, counted = unseen(version).count(), time.monotonic()
            tell(LOOKING, done, done + left)


def look_at(
    version: ModelVersion,
    photo_ids: Sequence[int],
    load: Callable[[], Looks],
    *,
    tell: Callable[[int, int], object],
) -> None:
    """Let a version look at those of these photos that it has not looked at."""
    lacking = list(unseen(version).filter(pk__in=photo_ids).order_by("pk"))
    size = settings.MAREA_LOOK_BATCH
    with Looker(version, load) as looker:
        for at in range(0, len(lacking), size):
            looker.look(lacking[at : at + size])
            tell(min(at + size, len(lacking)), len(lacking))


class Looker:
    """Looks at photos with one version and stores what it sees.

    What the active version saw with the very same parts is copied: after a training of one head,
    only that head looks.
    """

    def __init__(self, version: ModelVersion, load: Callable[[], Looks]) -> None:
        self.version, self.load = version, cache(load)
        self.active = active_version()
        self.wanted = _wanted(version, self.active)
        self.batch = settings.MAREA_LOOK_BATCH if self.wanted else COPIED_AT_ONCE

    def __enter__(self) -> Self:
        self._threads = ThreadPoolExecutor(settings.MAREA_DECODERS)
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)

    def look(self, photos: Sequence[Photo]) -> None:
        known = self._known(photos) if self.wanted != EVERYTHING else {}
        fresh = [photo for photo in photos if photo.pk not in known]
        again = [photo for photo in photos if photo.pk in known]
        seen = self._seen(fresh, EVERYTHING)
        if self.wanted:
            anew = self._seen(again, self.wanted)
            seen += [(p, completed(known[p.pk], one, self.wanted)) for p, one in anew]
        else:
            seen += [(photo, known[photo.pk]) for photo in again]
        store_seen(self.version, seen)

    def _known(self, photos: Sequence[Photo]) -> dict[int, Sight]:
        """What the active version saw in them."""
        rows = SightRow.objects.filter(version=self.active, photo__in=photos)
        return {row.photo_id: sight_from(row) for row in rows}

    def _seen(self, photos: Sequence[Photo], wanted: frozenset[str]) -> list[tuple[Photo, Sight]]:
        if not photos:
            return []
        eye = self.load()
        pixels = list(self._threads.map(lambda photo: pixels_of(photo, eye.input_size), photos))
        both = list(zip(photos, pixels, strict=True))
        _note_unreadable(self.version, [photo for photo, image in both if image is None])
        readable = [(photo, image) for photo, image in both if image is not None]
        images = [image for _, image in readable]
        seen = eye.look(images) if wanted == EVERYTHING else eye.look(images, wanted=wanted)
        _check_numbers(seen)
        return [(photo, one) for (photo, _), one in zip(readable, seen, strict=True)]


def _check_numbers(seen: Sequence[Sight]) -> None:
    """Raises `NotFinite`: no database keeps what is no number, SQLite without a word."""
    for each in seen:
        sure = [each.caption_confidence, *(sure for _, sure in each.tags)]
        sure += [sure for _, sure in each.other_captions.values()]
        if not (np.isfinite(each.embedding).all() and np.isfinite(sure).all()):
            raise NotFinite(NOT_NUMBERS)


def _wanted(version: ModelVersion, active: ModelVersion) -> frozenset[str]:
    """What has to be looked for; everything where it cannot be told."""
    try:
        return to_look_for(
            open_version(weights_folder(version)), open_version(weights_folder(active))
        )
    except WeightsError:
        return EVERYTHING


def _stand_back(tell: Tell, done: int, total: int) -> None:
    while Photo.objects.claimable().exists() and _somebody_looks():
        tell(STANDING_BACK, done, total)
        time.sleep(STANDS_BACK_S)


def _somebody_looks() -> bool:
    queues = Worker.objects.present().values_list("queues", flat=True)
    return any("look" in each.split(",") for each in queues)


def _note_unreadable(version: ModelVersion, photos: Sequence[Photo]) -> None:
    if photos:
        version.unreadable = sorted({*version.unreadable, *(photo.pk for photo in photos)})
        version.save(update_fields=["unreadable"])


def pixels_of(photo: Photo, size: int) -> Image | None:
    """Its pixels, squashed to `size`; None where they cannot be read."""
    try:
        return render(photo, network_size=size, thumbnails={}).pixels
    except UnreadableImage as error:
        logger.warning("not_looked_at photo=%d code=%s", photo.pk, error.code)
        return None
