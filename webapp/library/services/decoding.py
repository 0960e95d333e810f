"""The decoding processes of this process, started on first use with the limits of the settings."""

from collections.abc import Mapping
from functools import lru_cache

from django.conf import settings

from vision.decoding import DecoderPool, Fit, Limits, Rendering, UnreadableImage
from webapp.library.models import Photo
from webapp.library.storage import local_original

# How long a request waits for a free decoder before it answers "busy": slow photos must not hold
# every thread of the web server.
MAX_WAIT_S = 60.0


@lru_cache(maxsize=1)
def decoders() -> DecoderPool:
    """Child processes that decode untrusted files, shared by all threads."""
    return DecoderPool(
        children=settings.MAREA_DECODERS,
        limits=Limits(
            max_bytes=settings.MAREA_MAX_FILE_MB << 20,
            max_pixels=settings.MAREA_MAX_MEGAPIXELS * 1_000_000,
            memory_mb=settings.MAREA_DECODE_MEMORY_MB,
            seconds=settings.MAREA_DECODE_SECONDS,
        ),
        max_wait_s=MAX_WAIT_S,
    )


def render(photo: Photo, *, network_size: int | None, thumbnails: Mapping[str, Fit]) -> Rendering:
    """Decode a photo's original once, into all that is shown of it.

    Raises `UnreadableImage`, also when the file is missing, and `DecoderUnavailable`.
    """
    try:
        with local_original(photo.original_name) as path:
            return decoders().render(path, network_size=network_size, thumbnails=thumbnails)
    except FileNotFoundError as error:
        raise UnreadableImage("file_missing") from error
