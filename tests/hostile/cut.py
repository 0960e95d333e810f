"""Files that a broken transfer left incomplete, or a broken disk changed."""

import io
from collections.abc import Iterator

import pillow_heif
from PIL import Image

from tests.hostile.sample import HostileFile, encode, jpeg, noise, refused

# What the decoder of each format says of a picture cut in its pixels, and in its header: some see
# only that something is wrong.
_CODES = {
    "jpg": ("truncated", "damaged"),
    "png": ("truncated", "truncated"),
    "gif": ("truncated", "damaged"),
    "tif": ("truncated", "damaged"),
    "bmp": ("truncated", "truncated"),
    "webp": ("damaged", "damaged"),
    "avif": ("damaged", "damaged"),
    "heic": ("damaged", "damaged"),
}


def cut_files() -> Iterator[HostileFile]:
    for extension, data in _whole_files().items():
        in_pixels, in_header = _CODES[extension]
        for percent in (50, 90):
            part = data[: len(data) * percent // 100]
            yield refused(in_pixels, f"cut_{percent}.{extension}", part, f"cut at {percent} %")
        yield refused(in_header, f"cut_header.{extension}", data[:20], "cut after 20 bytes")
    yield refused("damaged", "start_marker.jpg", b"\xff\xd8", "only the start marker")
    yield refused("damaged", "checksum.png", _flip(encode(noise(), "PNG")), "one byte flipped")


def _whole_files() -> dict[str, bytes]:
    image = noise()
    return {
        "jpg": jpeg(image),
        "png": encode(image, "PNG"),
        "gif": encode(image.quantize(200), "GIF"),
        "tif": encode(image, "TIFF"),
        "bmp": encode(image, "BMP"),
        "webp": encode(image, "WEBP", quality=70),
        "avif": encode(image, "AVIF", quality=70, speed=10),
        "heic": heic(image),
    }


def heic(image: Image.Image, **options: bytes) -> bytes:
    """Without registering HEIF in this process, as the process under test must do so itself."""
    stream = io.BytesIO()
    pillow_heif.from_pillow(image).save(stream, quality=80, **options)
    return stream.getvalue()


def _flip(png: bytes) -> bytes:
    """Change one byte of the pixel data."""
    position = png.index(b"IDAT") + 200
    return png[:position] + bytes([png[position] ^ 0xFF]) + png[position + 1 :]
