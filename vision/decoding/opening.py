"""Open a photo with the one allowed decoder, and tell its failures apart. Runs in the child."""

import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pillow_heif
from PIL import (
    AvifImagePlugin,  # noqa: F401  registers its decoder
    Image,
    JpegImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401  registers its decoder
)

from vision.decoding import formats
from vision.decoding.errors import Refusal

_NEW_SUBFILE_TYPE, _DNG_VERSION, _REDUCED_RESOLUTION = 254, 50706, 1


def prepare_decoders(max_pixels: int) -> None:
    """Set Pillow up, once in a process."""
    Image.MAX_IMAGE_PIXELS = max_pixels
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
    # Pillow's own factory reads the index of multi-picture files (MPO), which a hostile file can
    # make fail; the first picture is a plain JPEG.
    Image.register_open("JPEG", JpegImagePlugin.JpegImageFile, lambda head: head[:2] == b"\xff\xd8")


@contextmanager
def open_photo(path: Path, format: formats.Format, max_pixels: int) -> Iterator[Image.Image]:
    """Open `path`, not yet decoded. Raises `Refusal`, also for failures in the block."""
    try:
        with Image.open(path, formats=[format.name]) as image:
            _check(image, max_pixels)
            if image.format == "HEIF":
                load(image, max_pixels)  # which may change its size
            yield image
    except Refusal:
        raise
    # Decoders fail in any way on hostile bytes, and each way has the same answer.
    except Exception as error:
        raise _explain(error) from error


def load(image: Image.Image, max_pixels: int) -> None:
    """Decode all pixels of the first frame."""
    if image.format == "PNG":
        _verify_checksums(image)
    image.load()
    _check(image, max_pixels)


def _verify_checksums(image: Image.Image) -> None:
    """Pillow skips the checksums of a PNG's pixel data while it decodes."""
    with Image.open(image.filename, formats=["PNG"]) as second:  # type: ignore[attr-defined]
        second.verify()


def _check(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise Refusal("too_large_pixels")
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tags = image.tag_v2
        if _DNG_VERSION in tags or tags.get(_NEW_SUBFILE_TYPE) == _REDUCED_RESOLUTION:
            raise Refusal("camera_raw")


def _explain(error: Exception) -> Refusal:
    """Without the error's words: those are the file's, or hold its path."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    cause = f"{type(error).__name__} {Path(place.filename).name}:{place.lineno}"
    return Refusal(_code(error), cause)


def _code(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "damaged"
    text = str(error).lower()
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return "too_large_pixels"
    if isinstance(error, MemoryError) or "memory" in text:
        return "decode_memory"
    if isinstance(error, EOFError) or "truncated" in text or "not enough image data" in text:
        return "truncated"
    return "damaged"
