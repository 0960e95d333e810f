"""Another model version looks at the photos that it lacks, while the active one goes on serving.

What was seen is in the database after each batch, so whoever is interrupted goes on there. Photos
that wait for their first look come first: the re-look stands back while there are any and somebody
is there to look at them.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from django.conf import settings

from vision.decoding import UnreadableImage
from vision.sight import Image
from webapp.library.models import Photo, PhotoQuerySet, Worker
from webapp.library.services.decoding import render
from webapp.teach.models import ModelVersion, lacking_sight
from webapp.teach.readying import store_seen
from webapp.teach.services import Seen

logger = logging.getLogger(__name__)

STANDS_BACK_S = 0.5  # how often it asks whether photos still wait
LOOKING = "Looking at every photo"
STANDING_BACK = "Stands back: new photos are looked at first"

Tell = Callable[[str, int, int], object]  # step, done, total


class Looks(Protocol):
    """A `vision.eye.Eye`, named here by its shape so that torch stays out of this process."""

    @property
    def input_size(self) -> int: ...
    def look(self, images: Sequence[Image]) -> Sequence[Seen]: ...


def unseen(version: ModelVersion) -> PhotoQuerySet:
    """Photos in use that the version has not looked at, and that it may be able to read."""
    ready = Photo.objects.filter(state=Photo.State.READY).exclude(pk__in=version.unreadable)
    return lacking_sight(ready, version)  # type: ignore[return-value]


def look_ahead(version: ModelVersion, eye: Looks, *, tell: Tell) -> None:
    """Let a version that is not active look at all that it lacks. What it cannot read is noted in
    its row."""
    done, left = 0, unseen(version).count()
    with ThreadPoolExecutor(settings.MAREA_DECODERS) as threads:
        while photos := list(unseen(version).order_by("pk")[: settings.MAREA_LOOK_BATCH]):
            _stand_back(tell, done, done + left)
            _look(version, eye, photos, threads)
            done, left = done + len(photos), unseen(version).count()
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
    with ThreadPoolExecutor(settings.MAREA_DECODERS) as threads:
        for at in range(0, len(lacking), size):
            _look(version, load(), lacking[at : at + size], threads)
            tell(min(at + size, len(lacking)), len(lacking))


def _look(
    version: ModelVersion, eye: Looks, photos: Sequence[Photo], threads: ThreadPoolExecutor
) -> None:
    pixels = list(threads.map(lambda photo: pixels_of(photo, eye.input_size), photos))
    _note_unreadable(version, [p for p, i in zip(photos, pixels, strict=True) if i is None])
    readable = [(p, i) for p, i in zip(photos, pixels, strict=True) if i is not None]
    seen = eye.look([image for _, image in readable])
    store_seen(version, [(p, s) for (p, _), s in zip(readable, seen, strict=True)])


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
