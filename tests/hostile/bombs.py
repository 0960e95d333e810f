"""Small files that ask for much memory or time."""

import struct
import zlib
from collections.abc import Iterator

from PIL import Image

from tests.hostile.blocks import ifd, jpeg_segment, long, png, png_chunk, short
from tests.hostile.sample import HostileFile, accepted, jpeg, picture, refused


def bombs() -> list[HostileFile]:
    return [*_huge_sizes(), *_many_parts()]


def _huge_sizes() -> Iterator[HostileFile]:
    code = "too_large_pixels"
    yield refused(code, "bomb.png", _bomb(30_000), "900 megapixels in 110 KB")
    size = 2**31 - 1
    yield refused(
        code, "huge.png", png((size, size), 8, 2, b""), "claims 2,147,483,647 pixels a side"
    )
    frame = struct.pack(">BHHB", 8, 65500, 65500, 3) + b"\1\x22\0\2\x11\1\3\x11\1"
    huge_jpeg = b"\xff\xd8" + jpeg_segment(0xC0, frame) + b"\xff\xd9"
    yield refused(code, "huge.jpg", huge_jpeg, "claims 65,500 × 65,500")
    header = struct.pack("<IiiHHIIiiII", 40, 60000, 60000, 1, 24, 0, 0, 2835, 2835, 0, 0)
    huge_bmp = b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + header
    yield refused(code, "huge.bmp", huge_bmp, "claims 60,000 × 60,000")
    yield refused(code, "huge.gif", _gif((65535, 65535), 1), "a vast screen, a frame of one pixel")
    canvas = b"\0\0\0\0" + 2 * (16382).to_bytes(3, "little")
    huge_webp = b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + canvas
    yield refused("damaged", "huge.webp", huge_webp, "claims 16,383 × 16,383")


def _many_parts() -> Iterator[HostileFile]:
    comment = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"A" * 40_000_000, 9))
    yield refused(
        "damaged", "text.png", png((1, 1), 8, 2, b"\0\xdc\x1e\x1e", comment), "40 MB of text"
    )
    yield refused("damaged", "tiles.tif", _tiles(), "claims 39 million tiles")
    yield accepted("frames.gif", _gif((1, 1), 5000), "5,000 frames: only the first counts", (1, 1))
    scans = repeated_scans(picture((256, 192)), 100)
    yield accepted("scans.jpg", scans, "progressive, 100 scans", (256, 192))


def _bomb(side: int) -> bytes:
    return png((side, side), 1, 0, (b"\0" + b"\0" * (side // 8)) * side)


def _gif(screen: tuple[int, int], frames: int) -> bytes:
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2\2D\1\0"
    head = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + b"\xdc\x1e\x1e\xff\xff\xff"
    return head + frame * frames + b";"


def _tiles() -> bytes:
    count = 39_062_500
    tags = [long(256, 100_000), long(257, 100_000), short(258, 8), short(259, 1), short(262, 1)]
    tags += [
        long(322, 16),
        long(323, 16),
        (324, 4, count, b"\0\1\0\0"),
        (325, 4, count, b"\0\1\0\0"),
    ]
    return b"II*\0\x08\0\0\0" + ifd(tags, 8) + b"\0" * 400


def repeated_scans(image: Image.Image, scans: int) -> bytes:
    """A progressive JPEG whose last scan is repeated; each costs a pass over all blocks.

    In a picture of one colour a scan is a few bytes: time for a decoder, not for the sender.
    """
    data = jpeg(image, progressive=True)
    start = data.rindex(b"\xff\xda")
    scan = data[start:-2]
    return data[:start] + scan * scans + b"\xff\xd9"
