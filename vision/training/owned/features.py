"""What a version's backbone sees in the owner's photos, looked at once and kept.

A file for each photo (float16), in a folder named by the hash of the backbone's file: trainings of
every kind, and later ones, find them there. What is kept may be deleted; it is only looked at anew.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from vision.backbones.base import Features
from vision.eye import Eye
from vision.sight import Image
from vision.versions import Version

PARTS = ("pooled", "stride16", "grid", "logits")
PORTION = 32

# Photos by the SHA-256 of their originals; None for one that cannot be read.
Load = Callable[[Sequence[str]], Sequence[Image | None]]
Told = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class OwnedFeatures:
    """Features of the owner's photos under one version's backbone."""

    folder: Path
    eye: Eye

    @classmethod
    def of(cls, version: Version, eye: Eye, root: Path) -> "OwnedFeatures":
        """In `root`, by the backbone's hash: versions that share it share what it saw."""
        spec = version.part("backbone")
        files = sorted(value for value in spec.values() if value in version.manifest["files"])
        hashes = "".join(version.manifest["files"][file]["sha256"] for file in files)
        return cls(root / hashlib.sha256(hashes.encode()).hexdigest()[:12], eye)

    def look(self, photos: Sequence[str], load: Load, *, told: Told) -> list[str]:
        """Look at those that were not yet; all that could be read, in their order."""
        self.folder.mkdir(parents=True, exist_ok=True)
        missing = [photo for photo in photos if not self._path(photo).exists()]
        for start in range(0, len(missing), PORTION):
            told(len(photos) - len(missing) + start, len(photos))
            portion = missing[start : start + PORTION]
            read = zip(portion, load(portion), strict=True)
            self._keep([(photo, image) for photo, image in read if image is not None])
        told(len(photos), len(photos))
        return [photo for photo in photos if self._path(photo).exists()]

    def batches(self, photos: Sequence[str], size: int = 128) -> Iterator[Features]:
        """Features of photos that were looked at, embeddings included, a few at a time."""
        for start in range(0, len(photos), size):
            features = self.read(photos[start : start + size])
            yield Features(
                *(getattr(features, part) for part in PARTS), embeddings=self.eye.embed(features)
            )

    def read(self, photos: Sequence[str]) -> Features:
        """Features of photos that were looked at."""
        kept = [load_file(self._path(photo)) for photo in photos]
        stacked = (np.stack([each[part] for each in kept]).astype(np.float32) for part in PARTS)
        return Features(*stacked)

    def _keep(self, read: list[tuple[str, Image]]) -> None:
        if not read:
            return
        features = self.eye.features([image for _, image in read])
        for row, (photo, _) in enumerate(read):
            arrays = {part: getattr(features, part)[row].astype(np.float16) for part in PARTS}
            path = self._path(photo)
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".partial")
            save_file({name: np.ascontiguousarray(a) for name, a in arrays.items()}, partial)
            partial.rename(path)

    def _path(self, photo: str) -> Path:
        return self.folder / photo[:2] / f"{photo}.safetensors"


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same directions, of length 1."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.maximum(length, 1e-6)).astype(np.float32)
