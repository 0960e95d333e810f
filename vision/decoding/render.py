"""Thumbnails, placeholder and network input from one decoding of a photo. Runs in the child.

A 12-megapixel JPEG takes 111 ms of one core for both thumbnails and the network input, 22 ms for
the network input alone; decoding all its pixels takes 63 ms, and making the same from them with
Lanczos and Pillow's WebP settings 549 ms. Inspecting it takes 19 ms.
"""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image

from vision.decoding.colour import to_eight_bits, to_srgb
from vision.decoding.metadata import read_orientation
from vision.decoding.opening import load
from vision.decoding.results import MAX_PLACEHOLDER_BYTES

Size = tuple[int, int]

# The first that is small enough is taken.
PLACEHOLDER_BOXES: Final = ((16, 16), (12, 12), (8, 8), (4, 4))
# From 2,000 to 1,600 pixels: 24 ms, bicubic 40 ms.
SHRINK: Final = Image.Resampling.HAMMING
# A thumbnail of 1,600 × 1,200 pixels, quality 75: method 0 takes 37 ms for 194 KB (38.7 dB PSNR),
# method 2 60 ms for 166 KB (38.2 dB), method 4 139 ms for 157 KB (38.9 dB).
WEBP_METHOD: Final = 0
WEBP_QUALITY: Final = 75
_TO_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`network_size`: side of the square in pixels. `boxes`: what each thumbnail must fit in."""

    network_size: int | None
    boxes: Sequence[Size]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """`pixels` are the bytes of (S, S, 3) uint8, or empty."""

    size: Size
    pixels: bytes
    thumbnails: Sequence[bytes]
    placeholder: bytes


def upright_size(image: Image.Image) -> Size:
    """The size a viewer sees."""
    width, height = image.size
    return (height, width) if read_orientation(image) >= 5 else (width, height)


def fit(size: Size, box: Size) -> Size:
    """The largest size of the same shape within `box`; never larger than `size`, never 0."""
    scale = min(1.0, box[0] / size[0], box[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def render(image: Image.Image, wanted: Wanted, max_pixels: int) -> Rendered:
    """Decode `image` once, as small as `wanted` allows."""
    size = upright_size(image)
    base = _decode(image, _base_size(size, wanted), max_pixels)
    return Rendered(
        size=size,
        pixels=_squash(base, wanted.network_size) if wanted.network_size else b"",
        thumbnails=[_webp(_shrink(base, fit(size, box))) for box in wanted.boxes],
        placeholder=_placeholder(base, size),
    )


def _base_size(size: Size, wanted: Wanted) -> Size:
    """The smallest size that every output can be scaled down from; the largest thumbnail's."""
    sizes = [fit(size, box) for box in (*wanted.boxes, PLACEHOLDER_BOXES[0])]
    if wanted.network_size:
        scale = min(1.0, wanted.network_size / min(size))
        sizes.append((math.ceil(size[0] * scale), math.ceil(size[1] * scale)))
    return max(sizes, key=math.prod)


def _decode(image: Image.Image, size: Size, max_pixels: int) -> Image.Image:
    """`image` as upright sRGB of `size`."""
    orientation = read_orientation(image)
    stored = (size[1], size[0]) if orientation >= 5 else size
    image.draft(None, stored)
    load(image, max_pixels)
    profile = image.info.get("icc_profile")
    small = to_eight_bits(image).resize(stored, SHRINK, reducing_gap=2.0)
    colours = to_srgb(small, profile)
    return colours.transpose(_TO_UPRIGHT[orientation]) if orientation > 1 else colours


def _shrink(base: Image.Image, size: Size) -> Image.Image:
    return base.resize(size, SHRINK, reducing_gap=2.0)


def _squash(base: Image.Image, side: int) -> bytes:
    """Bicubic, as small photos are enlarged here."""
    square = base.resize((side, side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return square.tobytes()


def _webp(image: Image.Image, *, quality: int = WEBP_QUALITY) -> bytes:
    """Without metadata: Pillow would copy profile and XMP from `info`."""
    stream = io.BytesIO()
    image.save(
        stream, "WEBP", quality=quality, method=WEBP_METHOD, icc_profile=b"", exif=b"", xmp=b""
    )
    return stream.getvalue()


def _placeholder(base: Image.Image, size: Size) -> bytes:
    for box in PLACEHOLDER_BOXES:
        data = _webp(_shrink(base, fit(size, box)), quality=20)
        if len(data) <= MAX_PLACEHOLDER_BYTES:
            break
    return data
