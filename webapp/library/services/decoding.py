"""The decoding processes of this process, started on first use with the limits of the settings."""

from functools import lru_cache

from django.conf import settings

from vision.decoding import DecoderPool, Limits

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
