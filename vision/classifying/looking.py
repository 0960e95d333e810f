"""What the backbone sees in photos, as they are and mirrored, kept portion by portion.

Interrupted, the next call goes on with the portions that are not there yet; a training on the same
data and backbone looks at nothing again.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision.backbones.base import Backbone, Features
from vision.classifying.grids import Halves, keep_grids, kept_grids
from vision.decoding import DecoderPool, Rendering
from vision.heads.classifier import describe
from vision.sight import Image

PORTION = 64

Floats = NDArray[np.float32]
Progress = Callable[[int, int], object]
Describe = Callable[[Features], Floats]


@dataclass(frozen=True, slots=True)
class Described:
    """Descriptions of photos as they are and mirrored, (N, F) each; `rows` are their places in
    what was asked for: what could not be read is left out."""

    plain: Floats
    mirrored: Floats
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)


def look_at_files(
    paths: Sequence[Path],
    backbone: Backbone,
    *,
    decoders: DecoderPool,
    kept: Path,
    progress: Progress,
    grids: bool = False,
) -> Described:
    """Descriptions of image files, which are opened by `decoders` only; `grids` are kept too, for
    `grids_of_files`, where they are asked for."""
    kept.mkdir(parents=True, exist_ok=True)
    found = []
    for start in range(0, len(paths), PORTION):
        portion = paths[start : start + PORTION]
        place = _place(kept, portion)
        if not place.exists() or (grids and not _grids_beside(place).exists()):
            rendered = decoders.render_many(
                portion, network_size=backbone.input_size, thumbnails={}
            )
            pixels = [each.pixels if isinstance(each, Rendering) else None for each in rendered]
            _look(pixels, backbone, place, grids=grids)
        found.append(_read(place, start))
        progress(min(start + PORTION, len(paths)), len(paths))
    return _joined(found)


def grids_of_files(paths: Sequence[Path], kept: Path) -> list[Halves]:
    """The grids that `look_at_files` has kept, by portion, in the order of its descriptions."""
    portions = [paths[start : start + PORTION] for start in _starts(len(paths))]
    return [kept_grids(_grids_beside(_place(kept, portion))) for portion in portions]


def look_at_images(
    images: Sequence[Image], backbone: Backbone, describe: Describe = describe
) -> Floats:
    """Descriptions of photos that are in memory, squashed to what the backbone wants."""
    parts = [describe(backbone(np.stack(images[s : s + PORTION]))) for s in _starts(len(images))]
    return np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)


def _starts(count: int) -> Iterator[int]:
    return iter(range(0, count, PORTION))


def _look(pixels: Sequence[Image | None], backbone: Backbone, place: Path, *, grids: bool) -> None:
    """Look at a portion and keep what was seen; the descriptions last, which say that it is all
    there."""
    rows = np.array([row for row, image in enumerate(pixels) if image is not None], np.int64)
    if not len(rows):
        nothing = np.zeros((0, 0), np.float32)
        if grids:
            keep_grids(_grids_beside(place), nothing, nothing)
        _keep(place, Described(nothing, nothing, rows))
        return
    images = np.stack([image for image in pixels if image is not None])
    mirrored = np.ascontiguousarray(images[:, :, ::-1])
    plain, turned = backbone(images), backbone(mirrored)
    if grids:
        keep_grids(_grids_beside(place), plain.grid, turned.grid)
    _keep(place, Described(describe(plain), describe(turned), rows))


def _keep(place: Path, seen: Described) -> None:
    partial = place.with_suffix(".partial")
    halves = {"plain": seen.plain.astype(np.float16), "mirrored": seen.mirrored.astype(np.float16)}
    with partial.open("wb") as file:
        np.savez(file, allow_pickle=False, rows=seen.rows, **halves)
    partial.rename(place)


def _read(place: Path, start: int) -> Described:
    with np.load(place, allow_pickle=False) as kept:
        plain, mirrored = (kept[name].astype(np.float32) for name in ("plain", "mirrored"))
        return Described(plain, mirrored, kept["rows"] + start)


def _joined(found: Sequence[Described]) -> Described:
    seen = [each for each in found if len(each)]
    if not seen:
        return Described(np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32), _no_rows())
    return Described(
        np.concatenate([each.plain for each in seen]),
        np.concatenate([each.mirrored for each in seen]),
        np.concatenate([each.rows for each in seen]),
    )


def _no_rows() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


def _place(kept: Path, portion: Sequence[Path]) -> Path:
    return kept / f"{_name(portion)}.npz"


def _grids_beside(place: Path) -> Path:
    return place.with_suffix(".grids.npy")


def _name(paths: Sequence[Path]) -> str:
    """By the photos alone: their names are their SHA-256."""
    return hashlib.sha256(repr([path.name for path in paths]).encode()).hexdigest()[:24]
