"""Photos with text: drawn signs, so that tests know what stands on them."""

import io
from functools import lru_cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIZE = (1000, 700)


def a_sign(
    *lines: str, height: int = 60, angle: float = 0.0, size: tuple[int, int] = SIZE
) -> Image.Image:
    """A photo of (width, height) with a white board; the lines on it are `height` pixels tall."""
    photo = a_scene(size)
    font = ImageFont.truetype(_font(), height)
    width = round(max(font.getlength(line) for line in lines)) + 2 * height
    board = Image.new("RGBA", (width, round((1.5 * len(lines) + 1) * height)), (250, 248, 240, 255))
    draw = ImageDraw.Draw(board)
    for number, line in enumerate(lines):
        draw.text((height, (0.7 + 1.5 * number) * height), line, font=font, fill=(20, 30, 60))
    board = board.rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)
    photo.paste(board, (size[0] // 10, size[1] // 10), board)
    return photo.filter(ImageFilter.GaussianBlur(0.7))


def a_scene(size: tuple[int, int] = SIZE) -> Image.Image:
    """A photo of coloured leaves, as it were, on which there is nothing to read."""
    leaves = np.random.default_rng(3).integers(70, 150, (30, 40, 3), dtype=np.uint8)
    return Image.fromarray(leaves).resize(size, Image.Resampling.BICUBIC)


@lru_cache(maxsize=1)
def _font() -> Path:
    """One that has accents; matplotlib brings it along."""
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


def encoded(photo: Image.Image, kind: str = "JPEG") -> bytes:
    file = io.BytesIO()
    photo.save(file, kind, quality=85)
    return file.getvalue()
