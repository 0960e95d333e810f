"""Folders of captioned photos: `<split>*.tar` and `captions.<lang>.csv.gz` (split, file, caption).

Training and evaluation read the same layout, so that one command measures any such folder.
"""

import csv
import gzip
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from vision.errors import DataMissing
from vision.sight import Image


@dataclass(frozen=True, slots=True)
class Collection:
    """One folder of photos with captions."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    def archives(self, split: str) -> list[Path]:
        """The tars of a split, sorted. Raises DataMissing when there is none."""
        found = sorted(self.folder.glob(f"{split}*.tar"))
        if not found:
            raise DataMissing(
                f"There are no photos of the split {split!r}: {self.folder}/{split}*.tar does not "
                "exist. Point --data at a folder with such tars and captions.en.csv.gz."
            )
        return found

    def captions(self, split: str, *, lang: str = "en") -> dict[str, list[str]]:
        """Captions of each photo of a split, in the order of the table."""
        table = self.folder / f"captions.{lang}.csv.gz"
        if not table.is_file():
            raise DataMissing(f"{table} does not exist; without captions nothing can be measured.")
        captions: dict[str, list[str]] = {}
        with gzip.open(table, "rt", encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                if row["split"] == split:
                    captions.setdefault(row["file"], []).append(row["caption"].strip())
        return captions


def read_tar(path: Path) -> Iterator[tuple[str, Image]]:
    """Yield (member name, upright RGB array) of each photo in an uncompressed tar."""
    with tarfile.open(path, "r:") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None:  # a regular file
                yield member.name, decode(content.read())


def decode(data: bytes) -> Image:
    """Decode a photo of a trusted collection; untrusted ones go through vision.decoding."""
    with Pillow.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB"))
