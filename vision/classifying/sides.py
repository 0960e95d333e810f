"""What is learned from, chosen by and judged by: photos of a snapshot and of the library."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vision.backbones.base import Backbone, Features
from vision.classifying.blocks import Mapped
from vision.classifying.fitting import Examples, Ints
from vision.classifying.grids import Grids, Halves, once
from vision.classifying.looking import (
    Described,
    Floats,
    grids_of_files,
    look_at_files,
    look_at_images,
)
from vision.classifying.snapshot import SPLITS, TEST, TRAIN, VALIDATION, Item
from vision.errors import TrainingError
from vision.heads.classifier import describe
from vision.sight import Image
from vision.versions import Version

if TYPE_CHECKING:
    from vision.classifying.training import ClassifierTraining

# Libraries hold photos of the classes too, which must not be learned as "none of them": one that
# lies nearer to a class than the farthest tenth of its own photos do is left out. Of Caltech-101
# with 470 photos of its classes among 970 of the library, 0.83 of new photos get a tag; a half in
# place of a tenth gives 0.73. With none of them in the library it is 0.80 and 0.81.
LIKE_A_MEMBER = 0.1
SPLIT_OF_BACKGROUND = {TRAIN: 0.7, VALIDATION: 0.15, TEST: 0.15}


@dataclass(frozen=True, slots=True)
class Sides:
    """Examples of each side, and their grids where they were asked for; `names` are those of the
    test photos, `background` is how many photos of the library are among the examples."""

    examples: dict[str, Examples]
    mapped: dict[str, Mapped]
    names: list[str]
    background: int


def look(config: "ClassifierTraining", backbone: Backbone, *, grids: bool = False) -> Sides:
    """Look at everything. Raises TrainingError when too few photos can be read."""
    snapshot, kept = config.snapshot, config.kept / backbone_key(config.base)
    paths = [snapshot.path(item) for item in snapshot.items]
    seen = look_at_files(
        paths,
        backbone,
        decoders=config.decoders,
        kept=kept,
        progress=lambda done, total: config.progress("Looking at the photos", done, total),
        grids=grids,
    )
    items = [snapshot.items[int(row)] for row in seen.rows]
    if {item.split for item in items} != set(SPLITS):
        raise TrainingError("Too few photos of this data set can be read. Nothing was trained.")
    config.progress("Looking at photos of the library", 0, 0)
    images = config.background(backbone.input_size)
    others, maps = _look_at_background(images, backbone, width=seen.plain.shape[1])
    unlike = unlike_the_classes(others, seen.plain, np.array([item.label for item in items]))
    examples, rows = _split(seen, items, others[unlike], len(snapshot.labels))
    every = Grids([*grids_of_files(paths, kept), once(maps[unlike])]) if grids else None
    return Sides(
        examples,
        {split: Mapped(examples[split], every, rows[split]) for split in SPLITS} if every else {},
        [item.sha256 for item in items if item.split == TEST],
        int(unlike.sum()),
    )


def _split(
    seen: Described, items: Sequence[Item], others: Floats, classes: int
) -> tuple[dict[str, Examples], dict[str, Ints]]:
    """Examples of each side, and the places of their photos: those of the library come last."""
    labels = np.array([item.label for item in items], np.int64)
    examples, rows = {}, {}
    for split, share in _shares_of_background(len(others)).items():
        own = np.array([item.split == split for item in items])
        examples[split] = _examples(seen, own, labels, others[share], classes)
        of_the_library = len(items) + np.arange(len(others))[share]
        rows[split] = np.concatenate([np.flatnonzero(own), of_the_library])
    return examples, rows


def _look_at_background(
    images: Sequence[Image], backbone: Backbone, *, width: int
) -> tuple[Floats, Halves]:
    """Descriptions, (N, width), and grids of photos of the library."""
    if not len(images):
        return np.zeros((0, width), np.float32), np.zeros((0, 1, 1, 1), np.float16)
    maps: list[Halves] = []

    def noted(features: Features) -> Floats:
        maps.append(features.grid.astype(np.float16))
        return describe(features)

    others = look_at_images(images, backbone, noted)
    return others, np.concatenate(maps)


def backbone_key(base: Version) -> str:
    """What is seen depends on the backbone's exact bytes."""
    spec = base.part("backbone")
    files = [value for value in spec.values() if isinstance(value, str)]
    hashes = [
        base.manifest["files"][file]["sha256"] for file in files if file in base.manifest["files"]
    ]
    return (hashes[0] if hashes else spec["name"])[:16]


def unlike_the_classes(others: Floats, plain: Floats, labels: np.ndarray) -> NDArray[np.bool_]:
    """Which background photos are not likely to show one of the classes."""
    if not len(others):
        return np.zeros(0, bool)
    mean, deviation = plain.mean(axis=0), plain.std(axis=0) + 1e-3
    own, away = _units((plain - mean) / deviation), _units((others - mean) / deviation)
    likely = np.zeros(len(others), bool)
    for label in np.unique(labels):
        members = own[labels == label]
        middle = _units(members.mean(axis=0, keepdims=True))[0]
        likely |= away @ middle > np.quantile(members @ middle, LIKE_A_MEMBER)
    return ~likely


def _units(rows: Floats) -> Floats:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


def _shares_of_background(count: int) -> dict[str, slice]:
    """The library comes in the order of its photos, and neighbours are alike: whole stretches."""
    ends = np.cumsum([0.0, *(SPLIT_OF_BACKGROUND[split] for split in SPLITS)]) * count
    bounds = [round(end) for end in ends]
    return {split: slice(*bounds[n : n + 2]) for n, split in enumerate(SPLITS)}


def _examples(
    seen: Described, own: np.ndarray, labels: np.ndarray, others: Floats, classes: int
) -> Examples:
    """Photos of the classes first."""
    return Examples(
        plain=np.concatenate([seen.plain[own], others]),
        mirrored=np.concatenate([seen.mirrored[own], others]),
        labels=np.concatenate([labels[own], np.full(len(others), classes)]),
    )
