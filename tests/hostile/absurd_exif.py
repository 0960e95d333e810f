"""JPEGs whose metadata is wrong in ways seen in the wild, or on purpose."""

import math
import struct
from collections.abc import Iterator

from tests.hostile.blocks import (
    ASCII,
    LONG,
    SHORT,
    UNDEFINED,
    doubles,
    exif,
    jpeg_segment,
    long,
    rationals,
    text,
    with_segments,
)
from tests.hostile.sample import HostileFile, accepted, jpeg

DESCRIPTION, MAKE, MODEL, DATE, ARTIST = 0x010E, 0x010F, 0x0110, 0x0132, 0x013B
DATE_ORIGINAL, OFFSET_ORIGINAL, MAKER_NOTE, FOCAL_LENGTH = 0x9003, 0x9011, 0x927C, 0x920A
_NORTH, _EAST = (1, ASCII, 2, b"N\0"), (3, ASCII, 2, b"E\0")

DATES = {
    "zeros": "0000:00:00 00:00:00",
    "year_9999": "9999:12:31 23:59:59",
    "year_1": "0001:01:01 00:00:00",
    "impossible": "2023:02:31 25:61:61",
    "prose": "yesterday at noon!!",
}


def absurd_exif() -> list[HostileFile]:
    segments = [*_dates(), *_places(), *_texts(), *_directories(), *_xmp()]
    return [
        accepted(f"exif_{name}.jpg", with_segments(jpeg(), segment), why)
        for name, segment, why in segments
    ]


Case = tuple[str, bytes, str]


def _dates() -> Iterator[Case]:
    for name, date in DATES.items():
        details = [text(DATE_ORIGINAL, date), text(OFFSET_ORIGINAL, "+99:99")]
        yield f"date_{name}", exif([text(DATE, date)], details), f"date {date}"


def _places() -> Iterator[Case]:
    def place(latitude: tuple, longitude: tuple) -> bytes:
        return exif(gps=[_NORTH, _EAST, latitude, longitude])

    zero, far = [(52, 0), (31, 0), (0, 0)], [(999, 1), (99, 1), (99, 1)]
    yield "gps_zero", place(rationals(2, *zero), rationals(4, *zero)), "denominators of zero"
    yield "gps_far", place(rationals(2, *far), rationals(4, (2**32 - 1, 1))), "latitude 999"
    yield "gps_text", place(text(2, "fifty-two"), rationals(4, (13, 1))), "latitude in words"
    nan = (math.nan, math.inf, -math.inf)
    gps = [_NORTH, _EAST, doubles(2, *nan), doubles(4, *nan)]
    yield "nan", exif([], [doubles(FOCAL_LENGTH, *nan)], gps), "numbers that are none"


def _texts() -> Iterator[Case]:
    control = [text(DESCRIPTION, b"be\0fore\x1b[2J\x7f"), text(MAKE, b"Ma\0ke\r\n\t\x08")]
    script = [text(MAKE, "<script>alert(1)</script>"), text(MODEL, "'); DROP TABLE photo;--")]
    broken = [text(MAKE, b"\xff\xfe\xc3\x28 M\xfcnchen"), text(ARTIST, b"\xf0\x28\x8c\x28")]
    turned = [text(MAKE, "Acme\u202egpj.exe\u200b\ufeff")]
    yield "control", exif(control), "NULs and terminal codes"
    yield "script", exif(script), "script and SQL as the camera"
    yield "not_utf8", exif(broken), "text that is not UTF-8"
    yield "direction", exif(turned), "characters that turn the direction of reading"
    yield "long_text", exif([text(DESCRIPTION, "lorem ipsum " * 4200)]), "50,000 characters"
    note = (MAKER_NOTE, UNDEFINED, 60_000, bytes(x * 13 % 256 for x in range(60_000)))
    yield "maker_note", exif([], [note]), "60 KB of the maker's own"


def _directories() -> Iterator[Case]:
    past_end = [(DESCRIPTION, ASCII, 500, struct.pack("<I", 2**31 - 16)), long(0x8769, 2**32 - 16)]
    huge = [
        (tag, kind, 2**32 - 1, b"\x08\0\0\0")
        for tag, kind in ((DESCRIPTION, ASCII), (0x0112, SHORT))
    ]
    circle = [
        (0x8769, LONG, 1, b"\x08\0\0\0"),
        (0x8825, LONG, 1, b"\x08\0\0\0"),
        text(MAKE, "loop"),
    ]
    yield "circular", exif([text(MAKE, "loop")], following=8), "the next directory is itself"
    yield "circular_pointers", exif(circle), "details and place are the main directory"
    yield "past_end", exif(past_end), "values past the end"
    yield "huge_count", exif(huge), "4,294,967,295 values"
    yield "cut", jpeg_segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\5\0\x0f\1"), "cut in a directory"
    yield "header_only", jpeg_segment(0xE1, b"Exif\0\0"), "a header and nothing else"


def _xmp() -> Iterator[Case]:
    def packet(content: str) -> bytes:
        return jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + content.encode())

    entities = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    bomb = f'<!DOCTYPE x [<!ENTITY l0 "lol">{entities}]><x:xmpmeta>&l9;</x:xmpmeta>'
    external = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><x:xmpmeta>&e;</x:xmpmeta>'
    yield "xmp_bomb", packet(bomb), "XMP that unfolds to a billion words"
    yield "xmp_external", packet(external), "XMP that reads another file"
    yield "xmp_not_xml", packet("<<<<\0 not xml"), "XMP that is not XML"
