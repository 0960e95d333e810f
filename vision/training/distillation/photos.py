"""The photos that a student learns from, decoded once.

Every photo in the data folder but held-out ones: whatever is in an archive whose name begins with
`train` or `photos`, and in the latter only those that `labels.csv` does not keep for tests. Labels
and captions are not read. Decoding is the price of a pass over AVIF files, so all photos are kept
squashed in one memory-mapped array.
"""

import csv
import logging
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision.collection import photo_name, read_tar
from vision.errors import DataMissing
from vision.pixels import squash

logger = logging.getLogger(__name__)

# Photos of the data folder are 224 pixels long at most, or little more.
KEPT_SIZE = 224
HELD_OUT = {"dev", "test", "val", "validation"}


def training_archives(data: Path) -> list[Path]:
    """Archives with photos to learn from, in a fixed order. Raises DataMissing without any."""
    found = sorted([*data.glob("*/train*.tar"), *data.glob("*/photos.tar")])
    if not found:
        raise DataMissing(f"There are no photos in {data}/*/train*.tar; say where with --data.")
    return found


def open_photos(archives: list[Path], to: Path) -> NDArray[np.uint8]:
    """Squashed photos of the archives, (photos, KEPT_SIZE, KEPT_SIZE, 3), memory-mapped.

    Decoded into the file `to` unless it was done.
    """
    if not to.exists():
        _decode(archives, to)
    return np.load(to, mmap_mode="r")


def _decode(archives: list[Path], to: Path) -> None:
    count = sum(1 for path in archives for _ in read_names(path))
    partial = to.with_suffix(".partial")
    to.parent.mkdir(parents=True, exist_ok=True)
    shape = (count, KEPT_SIZE, KEPT_SIZE, 3)
    kept = np.lib.format.open_memmap(partial, mode="w+", dtype=np.uint8, shape=shape)
    row = 0
    for path in archives:
        for image in _photos(path):
            kept[row] = squash(image, KEPT_SIZE)
            row += 1
        logger.info("decoded archive=%s/%s photos=%d", path.parent.name, path.name, row)
    kept.flush()
    partial.rename(to)


def _photos(path: Path) -> Iterator[NDArray[np.uint8]]:
    wanted = set(read_names(path))
    return (image for name, image in read_tar(path) if name in wanted)


def read_names(path: Path) -> Iterator[str]:
    held_out = _held_out(path)
    with tarfile.open(path, "r:") as archive:
        for member in archive:
            if member.isfile() and (name := photo_name(member.name)) not in held_out:
                yield name


def _held_out(path: Path) -> set[str]:
    """Names in the archive's folder that a table keeps for measuring."""
    table = path.parent / "labels.csv"
    if not table.is_file():
        return set()
    with table.open(encoding="utf-8", newline="") as lines:
        return {row["file"] for row in csv.DictReader(lines) if row.get("split") in HELD_OUT}
