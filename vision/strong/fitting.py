"""From a model's own space into Marea's 512 dimensions, with the least harm to inner products.

A search compares texts with photos, so only directions in which texts or photos vary matter: the
512 that carry most of both (principal directions of the two second moments, each scaled to one).
A width of 512 or less keeps every direction. Photos and texts of such models lie in two narrow
cones far apart (Liang et al. 2022, "Mind the gap", arXiv:2203.02053), so that every cosine is
alike; with some of the owner's photos at hand each side's mean is taken off, which spreads them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vision.sight import EMBED_DIM
from vision.strong.joint import Projection

Rows = NDArray[np.float32]
ENOUGH_PHOTOS = 50  # for a mean

_THINGS = (
    "person", "man", "woman", "child", "baby", "group of people", "dog", "cat", "horse", "bird",
    "fish", "insect", "cow", "car", "bus", "train", "bicycle", "boat", "airplane", "house",
    "bridge", "church", "tower", "street", "city", "room", "kitchen", "table", "chair", "bed",
    "computer", "telephone", "book", "sign", "document", "screenshot", "clock", "bottle", "cup",
    "plate of food", "cake", "pizza", "fruit", "vegetable", "flower", "tree", "garden", "forest",
    "mountain", "lake", "river", "beach", "sea", "sky", "cloud", "rainbow", "fire", "toy", "ball",
    "guitar", "shoe", "hat", "dress", "statue", "painting", "balloon", "tent", "snowman",
)  # fmt: skip
_PLACES = (
    "", "on the grass", "in the snow", "at the beach", "in the water", "at night", "at sunset",
    "in a room", "in a city", "at a party", "in the mountains", "seen from above",
)  # fmt: skip


def sentences() -> list[str]:
    """Some eight hundred everyday sentences."""
    return [f"a photo of a {thing} {place}".strip() for thing in _THINGS for place in _PLACES]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A projection for each side and what they cost."""

    photos: Projection
    texts: Projection
    figures: dict[str, Any]


def fit(texts: Rows, photos: Rows) -> Fitted:
    """Fit on features of unit norm, texts (n, width) and photos (m, width); m may be 0.

    Every tenth text is left out to measure by.
    """
    held = np.arange(len(texts)) % 10 == 9
    centred = len(photos) >= ENOUGH_PHOTOS
    mean_text = texts[~held].mean(axis=0) * centred
    mean_photo = (photos.mean(axis=0) if centred else mean_text) * centred
    matrix = principal(texts[~held] - mean_text, photos - mean_photo)
    sides = _projection(matrix, mean_photo), _projection(matrix, mean_text)
    figures = {"width": texts.shape[1], "photos": len(photos), "centred": centred}
    return Fitted(*sides, figures | _cost(texts[held] - mean_text, photos - mean_photo, matrix))


def principal(texts: Rows, photos: Rows) -> Rows:
    """The (512, width) orthonormal directions that carry most of both sides."""
    width = texts.shape[1]
    if width <= EMBED_DIM:
        return np.eye(EMBED_DIM, width, dtype=np.float32)
    moment = _moment(texts) + (_moment(photos) if len(photos) else 0.0)
    _, vectors = np.linalg.eigh(moment)
    return np.ascontiguousarray(vectors[:, ::-1][:, :EMBED_DIM].T, dtype=np.float32)


def _moment(rows: Rows) -> NDArray[np.float64]:
    moment = rows.T.astype(np.float64) @ rows
    return moment / max(float(np.trace(moment)), 1e-12)


def _cost(texts: Rows, photos: Rows, matrix: Rows) -> dict[str, float]:
    """Mean change of the cosines between left-out texts and what there is to compare with."""
    others = photos if len(photos) else texts
    exact = _unit(texts) @ _unit(others).T
    kept = _unit(texts @ matrix.T) @ _unit(others @ matrix.T).T
    return {"mean_cosine_change": round(float(np.abs(exact - kept).mean()), 5)}


def _unit(rows: Rows) -> Rows:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


@torch.no_grad()
def _projection(matrix: Rows, mean: Rows) -> Projection:
    projection = Projection(matrix.shape[1])
    projection.matrix.copy_(torch.from_numpy(matrix))
    projection.mean.copy_(torch.from_numpy(mean.astype(np.float32)))
    return projection.requires_grad_(False)
