"""Stacks kept up to date with the photos: prints are made here, the rest is in `webapp.stacks`."""

import logging
import time
from collections.abc import Callable, Iterator

from vision.decoding import UnreadableImage
from webapp.library.models import ChangeCounter, Photo
from webapp.library.services.thumbnails import render_shown
from webapp.stacks import building
from webapp.stacks.likeness import SEEN, print_of
from webapp.teach.models import ModelVersion
from webapp.teach.services import active_version

logger = logging.getLogger(__name__)

BATCH = 100


def is_behind() -> bool:
    return building.is_behind(active_version())


def follow(*, seconds: float, stopping: Callable[[], bool]) -> int:
    """Bring stacks up to date, for about `seconds`. Returns how many photos were gone through."""
    version, until, done = active_version(), time.monotonic() + seconds, 0
    progress = building.begin(version)
    while not stopping() and time.monotonic() < until:
        current = ChangeCounter.current()
        photos = building.next_changed(progress, BATCH)
        _stack(version, photos)
        building.advance(progress, photos, current)
        progress.refresh_from_db()
        done += len(photos)
        if not photos:
            break
    return done


def _stack(version: ModelVersion, photos: list[Photo]) -> None:
    started, changed = time.monotonic(), 0
    building.store_prints(_prints(building.lacking_print(photos)))
    for owner_id, owned in building.by_owner(photos).items():
        changed += len(building.join(version, owner_id, building.pairs_of(version, owned)))
    if photos:
        seconds = time.monotonic() - started
        logger.info("stacked photos=%d stacks=%d seconds=%.1f", len(photos), changed, seconds)


def _prints(photos: list[Photo]) -> Iterator[tuple[int, bytes, float]]:
    for photo in photos:
        try:
            yield photo.pk, *_print(photo)
        except UnreadableImage as error:
            logger.warning("print_not_made photo=%d code=%s", photo.pk, error.code)


def _print(photo: Photo) -> tuple[bytes, float]:
    rendering = render_shown(photo, "small", network_size=SEEN)
    assert rendering.pixels is not None  # noqa: S101  # asked for by `network_size`
    return print_of(rendering.pixels)
