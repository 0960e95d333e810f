"""Unusual files that are photos all the same."""

import struct

from PIL import Image

from tests.hostile.blocks import exif, jpeg_segment, png, short, with_segments
from tests.hostile.not_photos import PAGE, archive
from tests.hostile.sample import GREEN, HostileFile, accepted, encode, jpeg, picture

# How an upright picture is stored for each EXIF orientation.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def odd_files() -> list[HostileFile]:
    return [*_names_and_tails(), *_colours(), *_shapes(), *_several_pictures(), *_orientations()]


def stored(image: Image.Image, orientation: int) -> Image.Image:
    turn = STORED.get(orientation)
    return image if turn is None else image.transpose(turn)


def _names_and_tails() -> list[HostileFile]:
    comment = jpeg_segment(0xFE, b"A\0\x1b[31m" * 8000)
    profile = jpeg_segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(x * 37 % 256 for x in range(3000)))
    return [
        accepted("plain.jpg", jpeg(), "an ordinary JPEG"),
        accepted("UPPER.JPEG", jpeg(), "an extension in capitals"),
        accepted("no_extension", jpeg(), "no extension"),
        accepted("png.jpg", encode(picture(), "PNG"), "a PNG named .jpg"),
        accepted("zip_behind.jpg", jpeg() + archive(), "a ZIP behind the picture"),
        accepted("page_behind.jpg", jpeg() + PAGE, "a web page behind the picture"),
        accepted("long_comment.jpg", with_segments(jpeg(), comment), "48 KB of terminal codes"),
        accepted("bad_profile.jpg", with_segments(jpeg(), profile), "a colour profile of garbage"),
    ]


def _colours() -> list[HostileFile]:
    palette, clear = picture().quantize(16), picture().convert("RGBA")
    clear.putalpha(128)
    ramp = b"".join(struct.pack(">H", x * 65535 // 95) for x in range(96))
    red16 = b"\0" + b"\xdc\xdc\x1e\x1e\x1e\x1e" * 4
    return [
        accepted("cmyk.jpg", jpeg(picture().convert("CMYK")), "CMYK"),
        accepted("grey.jpg", encode(picture().convert("L"), "JPEG"), "grey", corner=None),
        accepted(
            "grey16.png", png((96, 64), 16, 0, (b"\0" + ramp) * 64), "16 bits", corner=(0, 0, 0)
        ),
        accepted("rgb16.png", png((4, 4), 16, 2, red16 * 4), "16 bits a channel", (4, 4)),
        accepted("palette.png", encode(palette, "PNG", transparency=0), "clear entry", corner=None),
        accepted("clear.png", encode(clear, "PNG"), "half transparent", corner=(237, 142, 142)),
        accepted("bilevel.png", encode(picture().convert("1"), "PNG"), "1 bit", corner=None),
    ]


def _shapes() -> list[HostileFile]:
    red = b"\xdc\x1e\x1e"
    rows = picture().tobytes("raw", "BGR")
    header = struct.pack("<IiiHHIIiiII", 40, 96, -64, 1, 24, 0, len(rows), 2835, 2835, 0, 0)
    upside_down = b"BM" + struct.pack("<IHHI", 54 + len(rows), 0, 0, 54) + header + rows
    tall, wide = (b"\0" + red) * 20_000, b"\0" + red * 20_000
    return [
        accepted("pixel.png", png((1, 1), 8, 2, b"\0" + red), "one pixel", (1, 1)),
        accepted("tall.png", png((1, 20_000), 8, 2, tall), "1 × 20,000", (1, 20_000)),
        accepted("wide.png", png((20_000, 1), 8, 2, wide), "20,000 × 1", (20_000, 1)),
        accepted("top_down.bmp", upside_down, "BMP with a negative height"),
    ]


def _several_pictures() -> list[HostileFile]:
    others = [Image.new("RGB", (96, 64), GREEN), Image.new("RGB", (96, 64), "blue")]
    several = {"save_all": True, "append_images": others}
    pages = {"save_all": True, "append_images": [Image.new("L", (10, 90)), others[0]]}
    first = picture()
    return [
        accepted(
            "animated.gif", encode(first, "GIF", duration=0, **several), "frames of no duration"
        ),
        accepted("animated.png", encode(first, "PNG", **several), "animated PNG"),
        accepted("animated.webp", encode(first, "WEBP", lossless=True, **several), "animated WebP"),
        accepted("pages.tif", encode(first, "TIFF", **pages), "pages of different sizes"),
        accepted("circular.tif", _circular_tiff(), "the page after the first is the first"),
        accepted(
            "phone.jpg", encode(first, "MPO", quality=90, **several), "multi-picture JPEG (MPO)"
        ),
        accepted("bad_mpo.jpg", _bad_mpo(), "multi-picture index of garbage"),
    ]


def _circular_tiff() -> bytes:
    data = encode(picture(), "TIFF")
    (start,) = struct.unpack_from("<I", data, 4)
    (entries,) = struct.unpack_from("<H", data, start)
    end = start + 2 + 12 * entries
    return data[:end] + struct.pack("<I", start) + data[end + 4 :]


def _bad_mpo() -> bytes:
    return with_segments(jpeg(), jpeg_segment(0xE2, b"MPF\0II*\0\xff\xff\xff\x7f" + b"\xff" * 60))


def _orientations() -> list[HostileFile]:
    files = []
    for orientation in (0, *STORED, 99):
        data = jpeg(stored(picture(), orientation))
        data = with_segments(data, exif([short(0x0112, orientation)]))
        files.append(accepted(f"orientation_{orientation}.jpg", data, "EXIF orientation"))
    return files
