"""Reading text in photos, after the first look at all of them: pixels from the large thumbnail."""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings
from django.db import DatabaseError
from PIL import Image

from vision.decoding import DecoderUnavailable, UnreadableImage
from webapp.library.models import ChangeCounter, Photo
from webapp.library.services.thumbnails import remake_thumbnails, thumbnail_path
from webapp.teach import reading
from webapp.teach.text_models import ReadText

if TYPE_CHECKING:
    from vision.reading.reader import Line, Reader

logger = logging.getLogger(__name__)

PORTION = 32  # photos asked for at a time
NICE = 10  # people who wait for pages, and the first look, come first

_at_work = threading.Lock()
_nothing_waits_before = 0  # change number up to which this process has seen all photos read


@lru_cache(maxsize=1)
def load_reader() -> "Reader":
    """The networks of this process, loaded when the first photo needs them."""
    from vision.reading.reader import load_reader as load  # OpenCV enters here and nowhere else

    return load(threads=settings.MAREA_OCR_THREADS)


def some_wait() -> bool:
    """Whether photos wait whose turn it is: while others wait for their first look, none has."""
    if Photo.objects.claimable().exists():
        return False
    return reading.some_wait(after=_nothing_waits_before)


def read_texts(*, seconds: float, stopping: Callable[[], bool]) -> bool:
    """Read what waits, for about `seconds`. Returns whether there is more to be read now.

    One at a time in this process: whoever comes meanwhile has nothing to do.
    """
    if not _at_work.acquire(blocking=False):
        return False
    try:
        return _read(time.monotonic() + seconds, stopping)
    finally:
        _at_work.release()


def _read(until: float, stopping: Callable[[], bool]) -> bool:
    global _nothing_waits_before
    while True:
        newest = ChangeCounter.current()
        died = ReadText.objects.of_this_engine().abandoned().exists()
        photos = reading.next_photos(PORTION, after=0 if died else _nothing_waits_before)
        if not photos:
            _nothing_waits_before = newest
            return False
        for photo in photos:
            if stopping() or time.monotonic() > until or Photo.objects.claimable().exists():
                return some_wait()
            if reading.begin(photo):
                _read_one(photo)


def _read_one(photo: Photo) -> None:
    """One photo. What cannot be read says why and holds up nobody."""
    started = time.monotonic()
    try:
        lines = _aside().submit(_lines, photo).result()
        found = [(line.text, line.confidence, line.box) for line in lines]
        reading.store_text(photo, found)
    except (DecoderUnavailable, DatabaseError):
        reading.give_back(photo)
        raise  # no photo's fault
    except UnreadableImage as error:
        reading.set_aside(photo, f"The photo cannot be read: {error.message}")
    except Exception as error:
        logger.error("reading_failed photo=%d", photo.pk, exc_info=error)
        reading.set_aside(photo, "Reading the text failed. The worker's log says more.")
    else:
        seconds = time.monotonic() - started
        logger.info("text_read photo=%d lines=%d seconds=%.2f", photo.pk, len(lines), seconds)


@lru_cache(maxsize=1)
def _aside() -> ThreadPoolExecutor:
    """A thread for the networks alone, since only so have they a lower priority than other work
    of this process."""
    return ThreadPoolExecutor(1, thread_name_prefix="reading", initializer=_step_back)


def _step_back() -> None:
    if sys.platform == "linux":  # there a thread has a priority of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def _lines(photo: Photo) -> "list[Line]":
    return load_reader().read(_pixels(photo))


def _pixels(photo: Photo) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """(H, W, 3) of the large thumbnail, which this program has encoded itself; it is made again
    where it was lost. Text of 12 of its pixels is read as well as from the original (measured)."""
    path = thumbnail_path(photo.sha256, "large")
    if not path.exists() and not remake_thumbnails([photo]):
        raise UnreadableImage("file_missing")
    with Image.open(path, formats=["WEBP"]) as image:
        return np.asarray(image.convert("RGB"))
