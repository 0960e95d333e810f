"""Small version folders and collections that tests write themselves."""

import csv
import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from vision.sight import Image

COLOURS = ("red", "green", "blue", "yellow", "white", "orange")
SHAPES = ("circle", "square", "cross")


def draw(number: int, *, width: int = 96, height: int = 72) -> Image:
    """A coloured shape on grey; `number` says which and where, noise makes it a texture."""
    rng = np.random.default_rng(number)
    noise = rng.integers(90, 130, size=(height, width, 3), dtype=np.uint8)
    picture = Pillow.fromarray(noise)
    pen = ImageDraw.Draw(picture)
    left, top = (int(v) for v in rng.integers(2, 20, size=2))
    box = (left, top, left + width // 2, top + height // 2)
    colour, shape = COLOURS[number % len(COLOURS)], SHAPES[number % len(SHAPES)]
    if shape == "circle":
        pen.ellipse(box, fill=colour)
    elif shape == "square":
        pen.rectangle(box, fill=colour)
    else:
        pen.line(box, fill=colour, width=9)
    return np.asarray(picture)


def caption(number: int) -> str:
    """What `draw(number)` shows."""
    colour, shape = COLOURS[number % len(COLOURS)], SHAPES[number % len(SHAPES)]
    return f"A {colour} {shape} on grey ."


def write_collection(folder: Path, *, train: int = 24, dev: int = 8) -> Path:
    """A collection of drawings with two captions each, laid out like any other."""
    folder.mkdir(parents=True)
    rows = [("split", "file", "caption")]
    numbers = {"train-0": range(train // 2), "train-1": range(train // 2, train)}
    for archive, photos in {**numbers, "dev": range(train, train + dev)}.items():
        with tarfile.open(folder / f"{archive}.tar", "w") as tar:
            for number in photos:
                add_png(tar, f"{number:05}.png", draw(number))
                split = archive.partition("-")[0]
                rows += [(split, f"{number:05}.png", caption(number))] * 2
    with gzip.open(folder / "captions.en.csv.gz", "wt", encoding="utf-8", newline="") as table:
        csv.writer(table).writerows(rows)
    return folder


def add_png(tar: tarfile.TarFile, name: str, image: Image) -> None:
    content = io.BytesIO()
    Pillow.fromarray(image).save(content, "PNG")
    member = tarfile.TarInfo(name)
    member.size = len(content.getvalue())
    content.seek(0)
    tar.addfile(member, content)


def write_version(folder: Path, files: dict[str, bytes], parts: dict[str, Any]) -> Path:
    """A version folder whose manifest is right about `files`."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    listed = {name: {"sha256": hashlib.sha256(c).hexdigest()} for name, c in files.items()}
    manifest = {"format": 1, "name": folder.name, "parts": parts, "files": listed}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder
