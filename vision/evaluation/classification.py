"""How far a backbone names the same ImageNet classes as EfficientNet-Lite2, and the right ones."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.backbones.base import Backbone
from vision.backbones.efficientnet import TorchLite2
from vision.collection import Collection
from vision.collection.collection import LABELS
from vision.errors import BadData
from vision.pixels import squash_batch
from vision.sight import Image

BATCH = 32
TOP = 5


def classification(folder: Path, split: str, *, backbone: Backbone) -> dict[str, Any]:
    """Agreement with Lite2 as PyPI gives it (fp32), between 0 and 1. Raises DataMissing.

    `top1` and `top5`: the share of photos whose first class by Lite2 is the backbone's first, or
    among its five. Where labels.csv has a `class_index`, `accuracy` says the same of the truth.
    """
    collection = Collection(folder)
    judge = TorchLite2("cpu")
    ours, first, names = [], [], []
    for batch in _batches(collection, split):
        names += [name for name, _ in batch]
        images = [image for _, image in batch]
        ours.append(_best(backbone(squash_batch(images, backbone.input_size)).logits))
        first.append(judge(squash_batch(images, judge.input_size)).logits.argmax(axis=1))
    best_NK = np.concatenate(ours)
    figures: dict[str, Any] = {"photos": len(names), **_agreement(best_NK, np.concatenate(first))}
    truth = _truth(collection)
    if labelled := [row for row, name in enumerate(names) if name in truth]:
        right = np.array([truth[names[row]] for row in labelled])
        figures["accuracy"] = _agreement(best_NK[labelled], right)
    return figures


def _batches(collection: Collection, split: str) -> Iterator[list[tuple[str, Image]]]:
    photos = collection.photos(split)
    while batch := list(islice(photos, BATCH)):
        yield batch


def _best(logits_BC: NDArray[np.float32]) -> NDArray[np.int64]:
    """The likeliest classes of each photo (B, TOP), best first."""
    return np.argsort(-logits_BC, axis=1)[:, :TOP]


def _agreement(best_NK: NDArray[np.int64], right_N: NDArray[np.int64]) -> dict[str, float]:
    same_NK = best_NK == right_N[:, None]
    return {"top1": float(same_NK[:, 0].mean()), "top5": float(same_NK.any(axis=1).mean())}


def _truth(collection: Collection) -> dict[str, int]:
    """The ImageNet class of each photo, where the table of labels says it. Raises BadData."""
    told = {row["file"]: row.get("class_index", "") for row in collection.table(LABELS)}
    if odd := [text for text in told.values() if text and not text.isdecimal()]:
        raise BadData(f"A class_index in {collection.folder} is {odd[0]!r} and no number.")
    return {name: int(text) for name, text in told.items() if text}
