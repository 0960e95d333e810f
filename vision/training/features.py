"""Look at a collection once and keep the features, so that heads train in minutes.

Features depend on the backbone's exact bytes, so the cache is a folder named by their hash:
`<cache>/<hash>/<collection>/<archive>.<view>.<part>.npy`. Each archive is written whole or not at
all; an interrupted extraction goes on with the next missing archive.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision.backbones.onnx import OnnxBackbone
from vision.collection import Collection, read_tar
from vision.pixels import squash

logger = logging.getLogger(__name__)

PARTS = ("pooled", "stride16", "grid", "logits")
VIEWS = ("plain", "flip")


@dataclass(frozen=True, slots=True)
class FeatureCache:
    """Features of collections under one backbone."""

    folder: Path
    backbone_path: Path
    input_size: int
    threads: int = 0

    @property
    def root(self) -> Path:
        digest = hashlib.sha256(self.backbone_path.read_bytes()).hexdigest()
        return self.folder / digest[:12]

    def extract(self, collection: Collection, split: str, views: Sequence[str] = VIEWS) -> None:
        """Compute what is missing of a split."""
        backbone = OnnxBackbone(
            self.backbone_path, input_size=self.input_size, threads=self.threads
        )
        for archive in collection.archives(split):
            for view in views:
                stem = self.root / collection.name / f"{archive.stem}.{view}"
                if not stem.with_suffix(f".{view}.names.npy").exists():
                    _extract_archive(archive, view, backbone, stem)

    def load(self, collection: Collection, split: str, part: str, view: str) -> NDArray[np.float16]:
        """One part of the features of a split, (photos, ...) float16, in archive order."""
        paths = [
            self._path(collection, archive, view, part) for archive in collection.archives(split)
        ]
        return np.concatenate([np.load(path, mmap_mode="r") for path in paths])

    def names(self, collection: Collection, split: str) -> list[str]:
        """Photo names of a split, in archive order."""
        paths = [self._path(collection, a, "plain", "names") for a in collection.archives(split)]
        return [str(name) for path in paths for name in np.load(path)]

    def _path(self, collection: Collection, archive: Path, view: str, part: str) -> Path:
        return self.root / collection.name / f"{archive.stem}.{view}.{part}.npy"


def _extract_archive(archive: Path, view: str, backbone: OnnxBackbone, stem: Path) -> None:
    names: list[str] = []
    parts: dict[str, list[NDArray[np.float16]]] = {part: [] for part in PARTS}
    photos = _photos(archive, view, backbone.input_size)
    while batch := list(islice(photos, 32)):
        names += [name for name, _ in batch]
        features = backbone(np.stack([image for _, image in batch]))
        for part in PARTS:
            parts[part].append(getattr(features, part).astype(np.float16))
    stem.parent.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        _save(stem.with_name(f"{stem.name}.{part}.npy"), np.concatenate(parts[part]))
    _save(stem.with_name(f"{stem.name}.names.npy"), np.array(names))  # last: marks it complete
    logger.info("extracted archive=%s view=%s photos=%d", archive.name, view, len(names))


def _photos(archive: Path, view: str, size: int) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    for name, image in read_tar(archive):
        square = squash(image, size)
        yield name, square[:, ::-1] if view == "flip" else square


def _save(path: Path, array: NDArray[np.generic]) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.save(file, array)
    partial.rename(path)
