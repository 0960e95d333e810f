"""The blocks that picture files are made of, written by hand so that they can be wrong."""

import struct
import zlib
from collections.abc import Sequence

ASCII, SHORT, LONG, RATIONAL, UNDEFINED, DOUBLE = 2, 3, 4, 5, 7, 12

# tag, type, count, value
Entry = tuple[int, int, int, bytes]


def jpeg_segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """Insert after the start marker."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def png_chunk(kind: bytes, payload: bytes) -> bytes:
    checksum = zlib.crc32(kind + payload)
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", checksum)


def png(size: tuple[int, int], depth: int, colour: int, rows: bytes, *extra: bytes) -> bytes:
    """`rows` are compressed here; `extra` chunks come before them."""
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            png_chunk(b"IHDR", header),
            *extra,
            png_chunk(b"IDAT", zlib.compress(rows, 9)),
            png_chunk(b"IEND", b""),
        )
    )


def iso_box(kind: bytes, payload: bytes, *, claims: int | None = None) -> bytes:
    """A box of HEIC, AVIF or MP4; `claims` is a length other than its own."""
    return struct.pack(">I", claims or len(payload) + 8) + kind + payload


def ifd(entries: Sequence[Entry], offset: int, *, following: int = 0) -> bytes:
    """A TIFF directory that starts at `offset`, little endian."""
    entries = sorted(entries)
    directory, values = struct.pack("<H", len(entries)), b""
    values_at = offset + 2 + 12 * len(entries) + 4
    for tag, kind, count, raw in entries:
        if len(raw) <= 4:
            value = raw.ljust(4, b"\0")
        else:
            value = struct.pack("<I", values_at + len(values))
            values += raw + b"\0" * (len(raw) % 2)
        directory += struct.pack("<HHI", tag, kind, count) + value
    return directory + struct.pack("<I", following) + values


def text(tag: int, value: str | bytes) -> Entry:
    raw = value.encode() if isinstance(value, str) else value
    return tag, ASCII, len(raw) + 1, raw + b"\0"


def short(tag: int, value: int) -> Entry:
    return tag, SHORT, 1, struct.pack("<H", value)


def long(tag: int, value: int) -> Entry:
    return tag, LONG, 1, struct.pack("<I", value)


def rationals(tag: int, *fractions: tuple[int, int]) -> Entry:
    return tag, RATIONAL, len(fractions), b"".join(struct.pack("<II", *f) for f in fractions)


def doubles(tag: int, *values: float) -> Entry:
    return tag, DOUBLE, len(values), struct.pack(f"<{len(values)}d", *values)


def exif(
    main: Sequence[Entry] = (),
    details: Sequence[Entry] | None = None,
    gps: Sequence[Entry] | None = None,
    *,
    following: int = 0,
) -> bytes:
    """A JPEG's EXIF segment with its directories one after the other."""
    pointers = [tag for tag, part in ((0x8769, details), (0x8825, gps)) if part is not None]
    end = 8 + len(ifd([*main, *(long(tag, 0) for tag in pointers)], 8))
    entries, tail = list(main), b""
    for tag, part in ((0x8769, details), (0x8825, gps)):
        if part is not None:
            entries.append(long(tag, end + len(tail)))
            tail += ifd(part, end + len(tail))
    directories = ifd(entries, 8, following=following) + tail
    return jpeg_segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0" + directories)
