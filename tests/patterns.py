"""Photos of problems that nobody trained a backbone on: patterns, different every time."""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vision.classifying.snapshot import image_path

SIZE = 96
KINDS = ("stripes", "dots", "checks", "rings")


def a_pattern(kind: str, seed: int, *, size: int = SIZE) -> bytes:
    """A JPEG of a pattern in random colours, places and scales."""
    chance = np.random.default_rng([KINDS.index(kind), seed])
    dark, light = chance.integers(0, 110, 3), chance.integers(140, 256, 3)
    image = Image.new("RGB", (size, size), tuple(int(v) for v in dark))
    draw, step = ImageDraw.Draw(image), int(chance.integers(9, 19))
    _DRAW[kind](draw, size, step, tuple(int(v) for v in light), chance)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()


Colour = tuple[int, ...]


def _stripes(
    draw: ImageDraw.ImageDraw, size: int, step: int, colour: Colour, chance: np.random.Generator
) -> None:
    lean = int(chance.integers(-30, 30))
    for x in range(int(chance.integers(-40, 0)), size + 40, step):
        draw.line((x, 0, x + lean, size), fill=colour, width=step // 2)


def _dots(
    draw: ImageDraw.ImageDraw, size: int, step: int, colour: Colour, chance: np.random.Generator
) -> None:
    for _ in range(25):
        x, y = (int(v) for v in chance.integers(0, size, 2))
        draw.ellipse((x, y, x + step // 2, y + step // 2), fill=colour)


def _checks(
    draw: ImageDraw.ImageDraw, size: int, step: int, colour: Colour, chance: np.random.Generator
) -> None:
    left, top = (int(v) for v in chance.integers(-step, 1, 2))
    for row, y in enumerate(range(top, size, step)):
        for x in range(left + step * (row % 2), size, 2 * step):
            draw.rectangle((x, y, x + step - 1, y + step - 1), fill=colour)


def _rings(
    draw: ImageDraw.ImageDraw, size: int, step: int, colour: Colour, chance: np.random.Generator
) -> None:
    x, y = (int(v) for v in chance.integers(size // 4, 3 * size // 4, 2))
    for radius in range(step, size, step):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=colour, width=3)


_DRAW = {"stripes": _stripes, "dots": _dots, "checks": _checks, "rings": _rings}


def write_classes(folder: Path, classes: Mapping[str, str], *, photos: int, first: int = 0) -> Path:
    """A folder for each class; `classes` says which pattern is in the folder of which name."""
    for name, kind in classes.items():
        (folder / name).mkdir(parents=True)
        for seed in range(first, first + photos):
            (folder / name / f"{seed}.jpg").write_bytes(a_pattern(kind, seed))
    return folder


def write_snapshot(folder: Path, classes: Mapping[str, str], *, photos: int) -> Path:
    """A data set as `vision.classifying` reads it; one photo in five to choose by, one to judge."""
    sides = ("train", "train", "train", "validation", "test")
    rows = []
    for label, kind in enumerate(classes.values()):
        for seed in range(photos):
            data = a_pattern(kind, seed)
            sha256 = hashlib.sha256(data).hexdigest()
            place = image_path(folder, sha256)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
            rows.append([sha256, label, sides[seed % len(sides)]])
    manifest = {"format": 1, "digest": "d" * 64, "labels": list(classes), "photos": rows}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def pixels_of(data: bytes) -> NDArray[np.uint8]:
    """An encoded photo of ours, decoded."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
