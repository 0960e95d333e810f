"""What a hostile file is, and the picture that most of them show."""

import io
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]

RED: Colour = (220, 30, 30)
GREEN: Colour = (30, 160, 60)
BLUE: Colour = (40, 60, 210)
YELLOW: Colour = (240, 210, 40)
SIZE = (96, 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostileFile:
    """`refused` is the code of the refusal, or None if the file must become a photo.

    `size` is the upright size of an accepted file; `corner` its colour at the top left.
    """

    name: str
    data: bytes
    why: str
    refused: str | None = None
    size: tuple[int, int] | None = SIZE
    corner: Colour | None = RED


def refused(code: str, name: str, data: bytes, why: str) -> HostileFile:
    return HostileFile(name=name, data=data, why=why, refused=code, size=None, corner=None)


def accepted(
    name: str,
    data: bytes,
    why: str,
    size: tuple[int, int] = SIZE,
    corner: Colour | None = RED,
) -> HostileFile:
    return HostileFile(name=name, data=data, why=why, size=size, corner=corner)


def picture(size: tuple[int, int] = SIZE) -> Image.Image:
    """A grey field whose four corners differ, so that its orientation shows."""
    width, height = size
    image = Image.new("RGB", size, (200, 200, 200))
    draw = ImageDraw.Draw(image)
    right, bottom = width - width // 3, height - height // 3
    draw.rectangle((0, 0, width // 3, height // 3), fill=RED)
    draw.rectangle((right, 0, width, height // 3), fill=GREEN)
    draw.rectangle((0, bottom, width // 3, height), fill=BLUE)
    draw.rectangle((right, bottom, width, height), fill=YELLOW)
    return image


def noise(size: tuple[int, int] = (160, 120)) -> Image.Image:
    """A picture that does not compress, so that half of its file is half of its rows."""
    width, height = size
    values = bytes((x * x * 31 + x * 7) % 251 for x in range(width * height * 3))
    return Image.frombytes("RGB", size, values)


def encode(image: Image.Image, format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def jpeg(image: Image.Image | None = None, **options: Any) -> bytes:
    return encode(image or picture(), "JPEG", **{"quality": 90, "subsampling": 0, **options})
