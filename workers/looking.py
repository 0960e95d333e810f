"""Looking at photos: the next batch is decoded while the network sees the present one."""

import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.db import InterfaceError, OperationalError

from vision.decoding import Rendering, UnreadableImage
from webapp.library.models import Photo
from webapp.library.services import claims
from webapp.library.services.decoding import render
from webapp.library.services.thumbnails import SIZES, store_thumbnails
from webapp.teach.models import ModelVersion
from webapp.teach.services import active_version, store_sights, weights_folder
from workers import examples

if TYPE_CHECKING:
    from vision.eye import Eye
    from vision.sight import Image

logger = logging.getLogger(__name__)

Readable = tuple[Photo, Rendering]
Batch = Sequence[tuple[Photo, "Future[Rendering]"]]


@lru_cache(maxsize=1)
def load_eye(folder: Path) -> "Eye":
    """The network of this process, loaded when the first photo needs it."""
    import torch  # it enters here and nowhere else

    from vision.eye import load_eye as load

    if settings.MAREA_VISION_THREADS:
        torch.set_num_threads(settings.MAREA_VISION_THREADS)
    return load(folder)


def new_holder() -> str:
    """A name for claims that no other process, now or later, goes by."""
    return f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"


def look(*, seconds: float, stopping: Callable[[], bool]) -> int:
    """Look at waiting photos for about `seconds`. Returns how many became ready."""
    if not Photo.objects.claimable().exists():
        return 0
    version = active_version()
    looker = Looker(version, load_eye(weights_folder(version)), stopping)
    return looker.run(until=time.monotonic() + seconds)


def look_at_pictures() -> int:
    """Look at the pictures that people search by. Returns how many were looked at."""
    version = active_version()
    if not examples.someone_waits(version):
        return 0
    return examples.look_at_pictures(version, load_eye(weights_folder(version)))


class Looker:
    """Claims photos in batches and stores what `eye` sees in them.

    One unreadable photo fails alone. An error that no photo is to blame for (database, storage,
    decoders gone) ends the run, and what was claimed is given back.
    """

    def __init__(self, version: ModelVersion, eye: "Eye", stopping: Callable[[], bool]) -> None:
        self.holder = new_holder()
        self.version = version
        self.eye = eye
        self.stopping = stopping
        self.ready = 0
        self._renew_at = 0.0

    def run(self, *, until: float) -> int:
        """Look until `until` (monotonic seconds), a shutdown, or nothing waits."""
        self._threads = ThreadPoolExecutor(settings.MAREA_DECODERS, thread_name_prefix="decode")
        try:
            self._run(until)
        finally:
            self._threads.shutdown(cancel_futures=True)
            claims.release(self.holder)
        return self.ready

    def _run(self, until: float) -> None:
        present = self._claim()
        while present and not self.stopping():
            ahead: Batch = []
            more = time.monotonic() < until
            if more and _is_fresh(present):
                ahead = self._claim(fresh_only=True)
            self._look_at(present)
            if examples.someone_waits(self.version):  # who searches waits for no upload
                examples.look_at_pictures(self.version, self.eye)
            if active_version() != self.version:
                break  # switched meanwhile; what it holds is given back
            present = ahead or (self._claim() if more and not self.stopping() else [])

    def _claim(self, *, fresh_only: bool = False) -> Batch:
        """Claim a batch and start decoding it."""
        photos = claims.claim_batch(
            self.holder, size=settings.MAREA_LOOK_BATCH, fresh_only=fresh_only
        )
        return [(photo, self._threads.submit(self._render, photo)) for photo in photos]

    def _render(self, photo: Photo) -> Rendering:
        """Decode once, for the network and the thumbnails. Runs in a thread, without database."""
        rendering = render(photo, network_size=self.eye.input_size, thumbnails=SIZES)
        store_thumbnails(photo.sha256, rendering.thumbnails)
        return rendering

    def _look_at(self, batch: Batch) -> None:
        started, ready_before = time.monotonic(), self.ready
        readable = self._readable(batch)
        if readable:
            self._see(readable)
        stored = self.ready - ready_before
        logger.info(
            "looked version=%s stored=%d failed=%d seconds=%.1f",
            self.version.name,
            stored,
            len(batch) - stored,
            time.monotonic() - started,
        )

    def _readable(self, batch: Batch) -> list[Readable]:
        """Wait for the decoders; photos that cannot be read are dealt with here."""
        readable = []
        for photo, rendering in batch:
            try:
                readable.append((photo, rendering.result()))
            except UnreadableImage as error:
                dismiss = claims.try_again_later if error.transient else claims.set_aside
                dismiss(self.holder, photo, error.message)
            self._renew_in_time()
        return readable

    def _see(self, photos: Sequence[Readable]) -> None:
        """Look at the photos together, or else one by one to find the one that fails."""
        try:
            self._store(photos)
        except (OperationalError, InterfaceError):
            raise  # the database's trouble, not a photo's
        except Exception as error:
            logger.exception("look_failed photos=%s", [photo.pk for photo, _ in photos])
            if len(photos) > 1:
                for one in photos:
                    self._see([one])
            else:
                claims.try_again_later(self.holder, photos[0][0], _network_failed(error))

    def _store(self, photos: Sequence[Readable]) -> None:
        images = [cast("Image", rendering.pixels) for _, rendering in photos]  # by _render
        sights = self.eye.look(images)
        looked = [(photo, sight) for (photo, _), sight in zip(photos, sights, strict=True)]
        placeholders = {photo.pk: rendering.placeholder for photo, rendering in photos}
        self.ready += store_sights(self.holder, self.version, looked, placeholders)

    def _renew_in_time(self) -> None:
        if time.monotonic() > self._renew_at:
            claims.renew(self.holder)
            self._renew_at = time.monotonic() + settings.MAREA_LEASE_S / 3


def _is_fresh(batch: Batch) -> bool:
    """Whether this is the first attempt at all of them: only then is more held at the same time."""
    return all(photo.attempts == 1 for photo, _ in batch)


def _network_failed(error: Exception) -> str:
    return (
        f"The model failed on this photo ({type(error).__name__}). The original is safe; the "
        "worker's log says more."
    )
