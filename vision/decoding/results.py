"""What goes into decoding and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

# The long side in pixels, or the (width, height) of a box to fit into.
Fit = int | tuple[int, int]

MAX_PLACEHOLDER_BYTES: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one photo may cost. The defaults take 200-megapixel phone photos.

    Measured at 200 megapixels: memory 0.1 GB for a JPEG, 0.6 GB for a progressive one, 0.8 GB for
    PNG, 1.0 GB for GIF, 1.4 GB for TIFF, 1.7 GB for PNG with transparency; 0.7 to 7 seconds. At 50
    megapixels: 0.4 GB for HEIC, 0.5 GB for AVIF, 0.8 GB for WebP.
    """

    max_bytes: int = 200 * 10**6
    max_pixels: int = 200 * 10**6
    # On top of what an idle decoding process occupies (address space, Linux only).
    memory_mb: int = 2048
    # From handing over the file to the finished answer.
    seconds: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A file that was decoded to the last pixel, and what its metadata says.

    Strings are free of control and formatting characters, at most 100 characters long, and still
    hostile text: escape them where they are shown.
    """

    format: str  # a key of `formats.BY_NAME`
    media_type: str
    width: int  # upright
    height: int  # upright
    taken_at: datetime | None  # what the camera's clock showed: no time zone
    utc_offset_minutes: int | None
    camera: str  # "" when unknown
    lens: str  # "" when unknown
    latitude: float | None  # degrees, with longitude or not at all
    longitude: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """One photo, upright and in sRGB.

    `pixels`: (S, S, 3) uint8, read-only, the whole photo squashed to a square; None if not asked
    for.
    `thumbnails`: WebP by name, without metadata, never larger than the photo.
    `placeholder`: WebP of at most 120 bytes. `width`, `height`: the upright photo's.
    """

    width: int
    height: int
    pixels: NDArray[np.uint8] | None
    thumbnails: Mapping[str, bytes]
    placeholder: bytes
