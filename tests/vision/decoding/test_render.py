"""Sizes, orientation and sharpness of what is made from a photo."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.hostile.cut import heic
from tests.hostile.odd import STORED, stored
from tests.hostile.sample import BLUE, GREEN, RED, YELLOW, encode, jpeg, noise, picture
from vision.decoding import DecoderPool, Rendering
from vision.decoding.render import fit
from vision.decoding.results import MAX_PLACEHOLDER_BYTES

THUMBNAILS = {"small": (960, 320), "large": 1600}


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    assert image.format == "WEBP"
    return image


def render(pool: DecoderPool, path: Path, data: bytes, size: int | None = 48) -> Rendering:
    path.write_bytes(data)
    return pool.render(path, network_size=size, thumbnails=THUMBNAILS)


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "HEIF"])
def test_photo_is_upright_whatever_its_orientation(
    format: str, orientation: int, pool: DecoderPool, tmp_path: Path
) -> None:
    image, exif = stored(picture(), orientation), Image.Exif()
    exif[0x0112] = orientation
    if format == "HEIF":
        data = heic(image, exif=exif.tobytes())
    else:
        data = encode(image, format, exif=exif)
    rendering = render(pool, tmp_path / "photo", data)
    inspection = pool.inspect(tmp_path / "photo")
    assert (inspection.width, inspection.height) == (rendering.width, rendering.height) == (96, 64)
    assert opened(rendering.thumbnails["large"]).size == (96, 64)
    assert rendering.pixels is not None
    corners = rendering.pixels[[4, 4, -4, -4], [4, -4, 4, -4]].astype(int)
    assert np.abs(corners - [RED, GREEN, BLUE, YELLOW]).max() <= 30


@pytest.mark.parametrize(
    ("size", "small", "large"),
    [
        ((4000, 3000), (427, 320), (1600, 1200)),
        ((3000, 4000), (240, 320), (1200, 1600)),
        ((1000, 800), (400, 320), (1000, 800)),
        ((200, 100), (200, 100), (200, 100)),
        ((5000, 500), (960, 96), (1600, 160)),
        ((3, 2000), (1, 320), (2, 1600)),
    ],
)
def test_thumbnails_keep_the_shape_and_are_never_enlarged(
    size: tuple[int, int],
    small: tuple[int, int],
    large: tuple[int, int],
    pool: DecoderPool,
    tmp_path: Path,
) -> None:
    rendering = render(pool, tmp_path / "photo.jpg", jpeg(Image.new("RGB", size, "teal")))
    assert (rendering.width, rendering.height) == size
    assert opened(rendering.thumbnails["small"]).size == small
    assert opened(rendering.thumbnails["large"]).size == large
    assert rendering.pixels is not None
    assert rendering.pixels.shape == (48, 48, 3)


def test_pixels_are_the_whole_photo_squashed(pool: DecoderPool, tmp_path: Path) -> None:
    """Against Pillow's full decoding, scaled in one step."""
    image = noise((1500, 400)).resize((3000, 800))
    pixels = render(pool, tmp_path / "photo.jpg", jpeg(image), 64).pixels
    with Image.open(tmp_path / "photo.jpg") as whole:
        expected = np.asarray(whole.resize((64, 64), Image.Resampling.BICUBIC), dtype=int)
    assert pixels is not None
    assert np.abs(pixels - expected).mean() < 2


def test_thumbnail_is_as_good_as_one_made_from_all_pixels(
    pool: DecoderPool, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    rough = Image.fromarray(rng.integers(0, 255, (75, 100, 3), np.uint8)).resize((4000, 3000))
    thumbnail = opened(render(pool, tmp_path / "photo.jpg", jpeg(rough)).thumbnails["large"])
    expected = np.asarray(rough.resize((1600, 1200), Image.Resampling.LANCZOS), dtype=float)
    error = np.square(np.asarray(thumbnail.convert("RGB")) - expected).mean()
    assert 10 * np.log10(255**2 / error) > 32  # PSNR in dB


@pytest.mark.parametrize("size", [(1, 1), (96, 64), (1, 20_000), (640, 480)])
def test_placeholder_is_tiny_and_has_the_shape(
    size: tuple[int, int], pool: DecoderPool, tmp_path: Path
) -> None:
    placeholder = render(pool, tmp_path / "p.png", encode(noise(size), "PNG"), None).placeholder
    assert len(placeholder) <= MAX_PLACEHOLDER_BYTES
    shown = opened(placeholder)
    assert (shown.width >= shown.height) == (size[0] >= size[1])


def test_what_is_not_asked_for_is_not_made(pool: DecoderPool, tmp_path: Path) -> None:
    (tmp_path / "p.jpg").write_bytes(jpeg())
    rendering = pool.render(tmp_path / "p.jpg", network_size=None, thumbnails={})
    assert rendering.pixels is None
    assert rendering.thumbnails == {}
    assert rendering.placeholder


def test_picture_of_no_size_is_the_callers_mistake(pool: DecoderPool, tmp_path: Path) -> None:
    (tmp_path / "p.jpg").write_bytes(jpeg())
    for wrong in (0, -1, (10, 0), 20_000):
        with pytest.raises(ValueError, match="between 1 and"):
            pool.render(tmp_path / "p.jpg", network_size=None, thumbnails={"s": wrong})
    with pytest.raises(ValueError, match="network_size"):
        pool.render(tmp_path / "p.jpg", network_size=0, thumbnails={})


def test_fit() -> None:
    assert fit((400, 300), (100, 100)) == (100, 75)
    assert fit((40, 30), (100, 100)) == (40, 30)
    assert fit((1, 20_000), (320, 320)) == (1, 320)
