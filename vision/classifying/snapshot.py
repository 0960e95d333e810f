"""A data set as training reads it: a folder that never changes, named by what is in it.

manifest.json       labels, and for each photo its SHA-256, label and side
images/ab/ab12…     the photos as they came, by SHA-256
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision.errors import DataMissing

FORMAT = 1
TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)


@dataclass(frozen=True, slots=True)
class Item:
    """One photo: its SHA-256, the number of its label and which side it is on."""

    sha256: str
    label: int
    split: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An opened snapshot; `digest` is a hash over labels, photos and sides."""

    folder: Path
    digest: str
    labels: Sequence[str]
    items: Sequence[Item]
    manifest: dict[str, Any]

    def path(self, item: Item) -> Path:
        return image_path(self.folder, item.sha256)


def image_path(folder: Path, sha256: str) -> Path:
    """Where a photo of a snapshot is."""
    return folder / "images" / sha256[:2] / sha256


def thumbnail_path(folder: Path, sha256: str) -> Path:
    """Where a small WebP of it is, to show."""
    return folder / "thumbnails" / sha256[:2] / sha256


def open_snapshot(folder: Path) -> Snapshot:
    """Raises DataMissing when the folder is not a snapshot."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        labels = manifest["labels"]
        items = [Item(sha256, label, split) for sha256, label, split in manifest["photos"]]
        digest = manifest["digest"]
    except (OSError, ValueError, KeyError, TypeError):
        raise DataMissing(f"{folder.name} is no data set any more; add the photos again.") from None
    if manifest.get("format") != FORMAT or any(item.split not in SPLITS for item in items):
        raise DataMissing(f"{folder.name} was written by another Marea; add the photos again.")
    return Snapshot(folder, digest, labels, items, manifest)
