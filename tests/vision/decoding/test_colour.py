"""Colours end as sRGB whatever they were stored as."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.hostile.blocks import png, png_chunk
from tests.hostile.sample import encode
from vision.decoding import DecoderPool

Triple = tuple[float, float, float]

# Red, green and blue as XYZ, adapted to D50: the profiles' own numbers.
ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
D50 = (0.9642, 1.0, 0.8249)
GAMMA = 563 / 256  # as Adobe RGB stores it


def matrix_profile(primaries: tuple[Triple, Triple, Triple], *, name: bytes = b"Test") -> bytes:
    """An ICC version 2 profile of three primaries and one gamma."""
    curve = b"curv" + struct.pack(">IIH", 0, 1, round(GAMMA * 256))
    description = b"desc" + struct.pack(">II", 0, len(name) + 1) + name + b"\0" * 79
    tags = [(b"desc", description), (b"cprt", b"text\0\0\0\0none\0"), (b"wtpt", _xyz(D50))]
    for channel, primary in zip(b"rgb", primaries, strict=True):
        tags += [(bytes([channel]) + b"XYZ", _xyz(primary)), (bytes([channel]) + b"TRC", curve)]
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for tag, value in tags:
        table += tag + struct.pack(">II", start + len(body), len(value))
        body += value + b"\0" * (-len(value) % 4)
    header = struct.pack(">I4xI", start + len(body), 0x02100000) + b"mntrRGB XYZ " + b"\0" * 12
    return header + b"acsp" + b"\0" * 28 + _xyz(D50)[8:] + b"\0" * 48 + table + body


def _xyz(values: Triple) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def expected_srgb(colour: tuple[int, int, int]) -> np.ndarray:
    """Adobe RGB to sRGB by the definition, without a colour management library."""
    linear = (np.array(colour) / 255) ** GAMMA
    linear = np.linalg.solve(np.array(SRGB).T, np.array(ADOBE_RGB).T @ linear).clip(0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def seen(pool: DecoderPool, path: Path, data: bytes) -> np.ndarray:
    """The colour in the middle of what is shown."""
    path.write_bytes(data)
    pixels = pool.render(path, network_size=9, thumbnails={}).pixels
    assert pixels is not None
    return pixels[4, 4].astype(int)


@pytest.mark.parametrize("colour", [(100, 200, 50), (200, 100, 90), (128, 128, 128), (30, 60, 180)])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_colour_profile_is_turned_to_srgb(
    format: str, colour: tuple[int, int, int], pool: DecoderPool, tmp_path: Path
) -> None:
    options = {"quality": 100} if format != "PNG" else {}
    image = Image.new("RGB", (64, 48), colour)
    data = encode(image, format, icc_profile=matrix_profile(ADOBE_RGB), **options)
    difference = seen(pool, tmp_path / "photo", data) - expected_srgb(colour)
    assert np.abs(difference).max() <= 8  # AVIF rounds in YCbCr, and dark blue is steep
    unmanaged = seen(pool, tmp_path / "plain", encode(image, format, **options))
    assert np.abs(unmanaged - np.array(colour)).max() <= 4


def test_profile_turns_transparent_pictures_too(pool: DecoderPool, tmp_path: Path) -> None:
    image = Image.new("RGBA", (64, 48), (100, 200, 50, 128))
    data = encode(image, "PNG", icc_profile=matrix_profile(ADOBE_RGB))
    on_white = 128 / 255 * expected_srgb((100, 200, 50)) + 127 / 255 * 255
    assert np.abs(seen(pool, tmp_path / "clear.png", data) - on_white).max() <= 4


@pytest.mark.parametrize("seed", range(5))
def test_damaged_profile_never_costs_the_photo(
    seed: int, pool: DecoderPool, tmp_path: Path
) -> None:
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (40, 30), "teal")
    for _ in range(40):
        profile = bytearray(matrix_profile(ADOBE_RGB))
        for place in rng.integers(0, len(profile), 4):
            profile[place] = rng.integers(0, 256)
        seen(pool, tmp_path / "p.png", encode(image, "PNG", icc_profile=bytes(profile)))


def test_profile_of_another_colour_space_is_ignored(pool: DecoderPool, tmp_path: Path) -> None:
    grey = Image.new("L", (64, 48), 128)
    data = encode(grey, "JPEG", quality=100, icc_profile=matrix_profile(ADOBE_RGB))
    assert list(seen(pool, tmp_path / "grey.jpg", data)) == [128, 128, 128]


def test_thumbnail_has_the_converted_colours_and_no_profile(
    pool: DecoderPool, tmp_path: Path
) -> None:
    path = tmp_path / "wide.png"
    image = Image.new("RGB", (64, 48), (200, 100, 90))
    path.write_bytes(encode(image, "PNG", icc_profile=matrix_profile(ADOBE_RGB)))
    thumbnail = pool.render(path, network_size=None, thumbnails={"s": 32}).thumbnails["s"]
    (path.parent / "s.webp").write_bytes(thumbnail)
    with Image.open(path.parent / "s.webp") as shown:
        assert "icc_profile" not in shown.info
        difference = np.array(shown.convert("RGB").getpixel((16, 12))) - expected_srgb(
            (200, 100, 90)
        )
    assert np.abs(difference).max() <= 6


def lab(colour: tuple[int, int, int]) -> Image.Image:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    image = Image.new("RGB", (16, 16), colour)
    converted = ImageCms.profileToProfile(image, srgb, lab, outputMode="LAB")
    assert converted is not None
    return converted


def grey16(*extra: bytes) -> bytes:
    return png((16, 16), 16, 0, (b"\0" + b"\x80\0" * 16) * 16, *extra)


RED = Image.new("RGB", (16, 16), (220, 30, 30))
TIFF_MODES = {
    "CMYK": (RED.convert("CMYK"), (220, 30, 30)),
    "LAB": (lab((220, 30, 30)), (220, 30, 30)),
    "L": (Image.new("L", (16, 16), 90), (90, 90, 90)),
    "LA": (Image.new("LA", (16, 16), (0, 0)), (255, 255, 255)),
    "P": (RED.quantize(4), (220, 30, 30)),
    "1": (Image.new("1", (16, 16), 1), (255, 255, 255)),
    "RGBA": (Image.new("RGBA", (16, 16), (0, 0, 0, 51)), (204, 204, 204)),
    "RGBX": (RED.convert("RGBX"), (220, 30, 30)),
    "I;16": (Image.new("I;16", (16, 16), 0x8000), (127, 127, 127)),
    "I;16B": (Image.new("I;16B", (16, 16), 0x8000), (127, 127, 127)),
    "I": (Image.new("I", (16, 16), 70_000), (0, 0, 0)),
    "F": (Image.new("F", (16, 16), 0.5), (0, 0, 0)),
    "F ramp": (Image.linear_gradient("L").convert("F"), (128, 128, 128)),
    "F nan": (Image.fromarray(np.full((16, 16), np.nan, np.float32)), (0, 0, 0)),
}


@pytest.mark.parametrize("mode", TIFF_MODES)
def test_tiff_of_each_mode_is_shown(mode: str, pool: DecoderPool, tmp_path: Path) -> None:
    image, colour = TIFF_MODES[mode]
    shown = seen(pool, tmp_path / "photo.tif", encode(image, "TIFF"))
    assert np.abs(shown - np.array(colour)).max() <= 4


def test_sixteen_bit_grey_with_a_transparent_shade_stays_grey(
    pool: DecoderPool, tmp_path: Path
) -> None:
    data = grey16(png_chunk(b"tRNS", b"\0\5"))
    assert list(seen(pool, tmp_path / "grey.png", data)) == [127, 127, 127]


def test_clear_parts_are_white(pool: DecoderPool, tmp_path: Path) -> None:
    clear = Image.new("RGBA", (16, 16), (10, 20, 30, 0))
    for format in ("PNG", "WEBP", "AVIF"):
        assert list(seen(pool, tmp_path / "clear", encode(clear, format))) == [255, 255, 255]
    gif = encode(Image.new("P", (16, 16), 0), "GIF", transparency=0)
    assert list(seen(pool, tmp_path / "clear", gif)) == [255, 255, 255]
