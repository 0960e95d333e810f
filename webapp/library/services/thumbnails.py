"""Thumbnails: WebP files named by the original's hash, made by workers and made again when lost."""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

from django.conf import settings

from vision.decoding import Rendering, UnreadableImage
from webapp.library.models import Photo
from webapp.library.services.decoding import decoders, render
from webapp.library.storage import write_atomically

logger = logging.getLogger(__name__)

# The box, in pixels, that each size fits into. Small fills a row of the grid on dense screens,
# wide panoramas included; large fills a screen.
SIZES: Mapping[str, tuple[int, int]] = {"small": (1080, 360), "large": (1600, 1600)}


def thumbnail_path(sha256: str, size: str) -> Path:
    folder = Path(settings.MAREA_THUMBNAILS)
    return folder / sha256[:2] / sha256[2:4] / f"{sha256}-{size}.webp"


def store_thumbnails(sha256: str, thumbnails: Mapping[str, bytes]) -> None:
    for size, data in thumbnails.items():
        write_atomically(thumbnail_path(sha256, size), [data])


def delete_thumbnails(sha256: str) -> None:
    for size in SIZES:
        thumbnail_path(sha256, size).unlink(missing_ok=True)


def has_thumbnails(sha256: str) -> bool:
    return all(thumbnail_path(sha256, size).exists() for size in SIZES)


def render_shown(photo: Photo, size: str, *, network_size: int) -> Rendering:
    """The photo as a network takes it, from a thumbnail, else from the original.

    Raises `UnreadableImage` when neither can be read, and `DecoderUnavailable`.
    """
    try:
        file = thumbnail_path(photo.sha256, size)
        return decoders().render(file, network_size=network_size, thumbnails={})
    except UnreadableImage:
        return render(photo, network_size=network_size, thumbnails={})


def remake_thumbnails(photos: Iterable[Photo]) -> int:
    """Make the thumbnails that these photos lack. Returns how many photos have them now.

    What cannot be read is left as it is; the photo's page still offers its original.
    """
    made = 0
    for photo in photos:
        try:
            if not has_thumbnails(photo.sha256):
                rendering = render(photo, network_size=None, thumbnails=SIZES)
                store_thumbnails(photo.sha256, rendering.thumbnails)
            made += 1
        except UnreadableImage as error:
            logger.warning("thumbnails_not_made photo=%d code=%s", photo.pk, error.code)
    return made
