"""Thumbnails: WebP files named by the original's hash, made by workers and made again when lost."""

from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from webapp.library.storage import write_atomically

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
