"""Folders of photos with what people said of them, laid out for training and evaluation alike.

Photos lie in tars: `<split>*.tar`, or `photos.tar` for all splits. `captions.<lang>.csv.gz` (split,
file, caption) describes them; `labels.csv` (split, file, class, or class_name and no split) or the
column `labels` of `photos.csv.gz` (joined by ";") names what is on them. A table without a split
means the same photos whatever split is asked for. So one command measures any such folder.
"""

import csv
import gzip
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from vision.errors import DataMissing
from vision.sight import Image

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Collection:
    """One folder of photos with captions or labels."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    def archives(self, split: str) -> list[Path]:
        """The tars with the photos of a split, sorted. Raises DataMissing when there is none."""
        found = sorted(self.folder.glob(f"{split}*.tar"))
        shared = self.folder / "photos.tar"
        if not found and not shared.is_file():
            raise DataMissing(
                f"There are no photos of the split {split!r}: {self.folder}/{split}*.tar does not "
                "exist. Point --data at a folder with such tars and captions.en.csv.gz."
            )
        return found or [shared]

    def photos(self, split: str) -> Iterator[tuple[str, Image]]:
        """(name, upright RGB array) of each photo of a split. Raises DataMissing."""
        members = self._members(split)
        for name, image in chain.from_iterable(map(read_tar, self.archives(split))):
            if members is None or name in members:
                yield name, image

    def captions(
        self, split: str, *, lang: str = "en", kind: str | None = None
    ) -> dict[str, list[str]]:
        """Captions of each photo of a split, in the order of the table.

        `kind` takes only those of one kind, where the table has that column ("translation").
        """
        table = self.folder / f"captions.{lang}.csv.gz"
        if not table.is_file():
            raise DataMissing(f"{table} does not exist; without captions nothing can be measured.")
        captions: dict[str, list[str]] = {}
        for row in _rows(table):
            if row["split"] == split and (kind is None or row.get("kind", kind) == kind):
                captions.setdefault(row["file"], []).append(row["caption"].strip())
        return captions

    def has_captions(self, lang: str) -> bool:
        return (self.folder / f"captions.{lang}.csv.gz").is_file()

    def labels(self, split: str) -> dict[str, list[str]] | None:
        """The names of what is on each photo of a split; None where nobody labelled anything."""
        for table in ("labels.csv", "photos.csv.gz"):
            rows = [row for row in self._table(table) if row.get("split", split) == split]
            if labelled := {row["file"]: names for row in rows if (names := _names(row))}:
                return labelled
        return None

    def _members(self, split: str) -> set[str] | None:
        """Which photos of a shared tar belong to a split; None: all that the tars hold."""
        if any(self.folder.glob(f"{split}*.tar")):
            return None
        tables = ("labels.csv", "photos.csv", "photos.csv.gz")
        rows = next((rows for table in tables if (rows := self._table(table))), None)
        if rows is None:
            return None
        members = {row["file"] for row in rows if row.get("split", split) == split}
        if not members:
            raise DataMissing(f"No table in {self.folder} names a photo of the split {split!r}.")
        return members

    def _table(self, name: str) -> list[Row]:
        return list(_rows(self.folder / name)) if (self.folder / name).is_file() else []


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


def _rows(table: Path) -> Iterator[Row]:
    if table.suffix == ".gz":
        with gzip.open(table, "rt", encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines)
    else:
        with table.open(encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines)


def _names(row: Row) -> list[str]:
    """The labels of one row of a table, as a person would write them: with spaces for "_"."""
    if "labels" in row:
        names = row["labels"].split(";")
    else:
        names = [row.get("class") or row.get("class_name") or ""]
    return [name.replace("_", " ") for name in names if name]
