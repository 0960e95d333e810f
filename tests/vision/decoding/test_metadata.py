"""Date, place and camera, and nothing where EXIF makes no sense."""

import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.hostile.absurd_exif import DATE, MAKE, MODEL, absurd_exif
from tests.hostile.blocks import (
    ASCII,
    Entry,
    exif,
    ifd,
    long,
    rationals,
    short,
    text,
    with_segments,
)
from tests.hostile.cut import heic
from tests.hostile.sample import HostileFile, encode, jpeg, picture
from vision.decoding import DecoderPool, Inspection
from vision.decoding.metadata import MAX_TEXT, read_metadata, tidy

DATE_ORIGINAL, DATE_DIGITIZED = 0x9003, 0x9004
OFFSET, OFFSET_ORIGINAL, OFFSET_DIGITIZED = 0x9010, 0x9011, 0x9012
LENS = 0xA434


# Takes the entries of the main directory, of the details and of the place.
Inspect = Callable[..., Inspection]


@pytest.fixture
def inspect(pool: DecoderPool, tmp_path: Path) -> Inspect:
    def inspect(*directories: list[Entry] | None) -> Inspection:
        path = tmp_path / "photo.jpg"
        path.write_bytes(with_segments(jpeg(), exif(*directories)))
        return pool.inspect(path)

    return inspect


Fractions = list[tuple[int, int]]


def place(latitude: Fractions, longitude: Fractions, letters: str = "NE") -> list[Entry]:
    references = [
        (tag, ASCII, 2, letter.encode() + b"\0")
        for tag, letter in zip((1, 3), letters, strict=True)
    ]
    return [*references, rationals(2, *latitude), rationals(4, *longitude)]


BERLIN = [(52, 1), (31, 1), (1212, 100)], [(13, 1), (24, 1), (18, 1)]


def test_photo_of_a_phone(inspect: Inspect) -> None:
    found = inspect(
        [text(MAKE, "Google"), text(MODEL, "Pixel 9"), text(DATE, "2026:01:01 00:00:00")],
        [
            text(DATE_ORIGINAL, "2025:07:14 18:30:05"),
            text(OFFSET_ORIGINAL, "+02:00"),
            text(LENS, "Pixel 9 back camera 6.9mm f/1.68"),
        ],
        place(*BERLIN),
    )
    assert found.taken_at == datetime(2025, 7, 14, 18, 30, 5)
    assert found.utc_offset_minutes == 120
    assert found.camera == "Google Pixel 9"
    assert found.lens == "Pixel 9 back camera 6.9mm f/1.68"
    assert found.latitude == pytest.approx(52.52003, abs=1e-5)
    assert found.longitude == pytest.approx(13.405, abs=1e-5)


def test_shutter_counts_before_scan_and_scan_before_file(inspect: Inspect) -> None:
    file, scan, shutter = (f"{year}:05:05 05:05:05" for year in (2003, 2002, 2001))
    main, details = [text(DATE, file), text(OFFSET, "+01:00")], [text(DATE_DIGITIZED, scan)]
    details.append(text(OFFSET_DIGITIZED, "-03:30"))
    assert inspect(main, [*details, text(DATE_ORIGINAL, shutter)]).taken_at.year == 2001
    scanned = inspect(main, [*details, text(DATE_ORIGINAL, "0000:00:00 00:00:00")])
    assert (scanned.taken_at.year, scanned.utc_offset_minutes) == (2002, -210)
    saved = inspect(main, [])
    assert (saved.taken_at.year, saved.utc_offset_minutes) == (2003, 60)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2020:02:29 10:00:00", datetime(2020, 2, 29, 10)),
        ("2020-02-29T10:00:00", datetime(2020, 2, 29, 10)),
        ("2020/02/29 10:00:00.5", datetime(2020, 2, 29, 10)),
        ("1826:01:01 00:00:00", datetime(1826, 1, 1)),
        ("1825:12:31 23:59:59", None),
        ("2021:02:29 10:00:00", None),
        ("2020:02:29 24:00:00", None),
        ("2020:02:29", None),
        ("    :  :     :  :  ", None),
        ("٢٠٢٠:01:01 00:00:00", None),
        ("", None),
    ],
)
def test_date(written: str, read: datetime | None, inspect: Inspect) -> None:
    assert inspect([], [text(DATE_ORIGINAL, written)]).taken_at == read


@time_machine.travel("2026-11-24", tick=False)
def test_date_after_next_year_is_none() -> None:
    image = Image.new("RGB", (1, 1))
    image.getexif()[DATE] = "2027:12:31 23:59:59"
    assert read_metadata(image)["taken_at"] == "2027-12-31T23:59:59"
    image.getexif()[DATE] = "2028:01:01 00:00:00"
    assert read_metadata(image)["taken_at"] is None


@pytest.mark.parametrize(
    ("written", "minutes"),
    [
        ("+14:00", 840),
        ("-09:30", -570),
        ("+14:01", None),
        ("+05:99", None),
        ("Z", None),
        ("", None),
    ],
)
def test_offset(written: str, minutes: int | None, inspect: Inspect) -> None:
    details = [text(DATE_ORIGINAL, "2020:01:01 00:00:00"), text(OFFSET_ORIGINAL, written)]
    assert inspect([], details).utc_offset_minutes == minutes


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Canon", "Canon EOS R5", "Canon EOS R5"),
        ("NIKON CORPORATION", "NIKON Z 6", "NIKON Z 6"),
        ("SONY", "ILCE-7M4", "SONY ILCE-7M4"),
        ("Apple", "", "Apple"),
        ("", "DSC-1", "DSC-1"),
        ("  FUJIFILM  ", " X100V \n", "FUJIFILM X100V"),
        ("Kamera-Werk Zürich", "Ⅱ", "Kamera-Werk Zürich Ⅱ"),
        ("x" * 500, "y" * 500, "x" * 100),
    ],
)
def test_camera(make: str, model: str, camera: str, inspect: Inspect) -> None:
    assert inspect([text(MAKE, make), text(MODEL, model)]).camera == camera


@pytest.mark.parametrize(
    ("gps", "place_found"),
    [
        (place([(33, 1), (51, 1), (30, 1)], [(151, 1), (12, 1)], "SE"), (-33.858333, 151.2)),
        (place([(40, 1), (42, 1)], [(74, 1), (0, 1)], "NW"), (40.7, -74.0)),
        (place([(90, 1)], [(180, 1)]), (90.0, 180.0)),
        (place([(90, 1), (1, 1)], [(0, 1)]), (None, None)),
        (place([(10, 1)], [(180, 1), (1, 60)], "NW"), (None, None)),
        (place([(0, 1)], [(0, 1)]), (None, None)),
        (place([(10, 1)], [(20, 1)], "??"), (None, None)),
        ([rationals(2, (10, 1)), rationals(4, (20, 1))], (None, None)),
    ],
)
def test_place(gps: list[Entry], place_found: tuple, inspect: Inspect) -> None:
    found = inspect([], None, gps)
    assert (found.latitude, found.longitude) == place_found


@pytest.mark.parametrize("file", absurd_exif(), ids=lambda file: file.name)
def test_absurd_exif_yields_nothing_false(
    file: HostileFile, pool: DecoderPool, tmp_path: Path
) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(file.data)
    found = pool.inspect(path)
    assert found.taken_at is None
    assert found.utc_offset_minutes is None
    assert (found.latitude, found.longitude) == (None, None)
    assert len(found.camera) <= MAX_TEXT
    assert found.camera.isprintable()


@pytest.mark.parametrize("seed", range(4))
def test_damaged_exif_never_costs_the_photo(seed: int, pool: DecoderPool, tmp_path: Path) -> None:
    rng, path = random.Random(seed), tmp_path / "photo.jpg"
    details = [text(DATE_ORIGINAL, "2025:07:14 18:30:05"), text(LENS, "50mm")]
    segment = exif([text(MAKE, "Acme"), short(0x0112, 6)], details, place(*BERLIN))
    for _ in range(50):
        damaged = bytearray(segment)
        for _ in range(rng.choice((1, 2, 6))):
            damaged[rng.randrange(10, len(damaged))] = rng.choice((0, 255, rng.randrange(256)))
        path.write_bytes(with_segments(jpeg(), bytes(damaged)))
        found = pool.inspect(path)
        assert {found.width, found.height} == {96, 64}


def tiff_with_details() -> bytes:
    """One grey pixel; Pillow does not write the directory of details into a TIFF."""
    main = [short(256, 1), short(257, 1), short(258, 8), short(259, 1), short(262, 1)]
    main += [long(273, 0), short(277, 1), short(278, 1), long(279, 1), text(MAKE, "Acme")]
    end = 8 + len(ifd([*main, long(0x8769, 0)], 8))
    details = ifd([text(DATE_ORIGINAL, "2019:08:07 06:05:04")], end)
    return b"II*\0\x08\0\0\0" + ifd([*main, long(0x8769, end)], 8) + details


@pytest.mark.parametrize("format", ["PNG", "WEBP", "AVIF", "TIFF", "HEIF"])
def test_metadata_is_read_from_each_format(format: str, pool: DecoderPool, tmp_path: Path) -> None:
    tags = Image.Exif()
    tags[MAKE] = "Acme"
    tags[0x8769] = {DATE_ORIGINAL: "2019:08:07 06:05:04"}
    path = tmp_path / "photo"
    if format == "HEIF":
        path.write_bytes(heic(picture(), exif=tags.tobytes()))
    elif format == "TIFF":
        path.write_bytes(tiff_with_details())
    else:
        path.write_bytes(encode(picture(), format, exif=tags))
    found = pool.inspect(path)
    assert (found.format, found.camera) == (format, "Acme")
    assert found.taken_at == datetime(2019, 8, 7, 6, 5, 4)


@given(st.text() | st.text("\t\u202eÂ¡ x", max_size=300))
def test_tidied_text_is_one_short_printable_line(value: str) -> None:
    tidied = tidy(value)
    assert len(tidied) <= MAX_TEXT
    assert tidied.isprintable()
    assert tidied == tidied.strip() == tidy(tidied)
