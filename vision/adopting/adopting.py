"""Adopt a backbone: look at the owner's photos with both, fit, measure, publish a version.

Interrupted, the next call goes on with the photos that were not looked at yet. Loads torch.
"""

import importlib.util
import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file

from vision.adapters import Adapters
from vision.adopting.agreement import agreement
from vision.adopting.fitting import LinearMap, Ridge, explained
from vision.adopting.looking import Arrays, Load, Pair, look_at_all
from vision.backbones import BACKBONES
from vision.errors import AdoptError
from vision.eye import load_eye
from vision.sight import Image
from vision.training.publish import Draft
from vision.versions import Version, open_version

logger = logging.getLogger(__name__)

# Below this the maps are worth little. EfficientNet-Lite0 in Lite2's place, 400 other photos (half
# Flickr8k, half coco_wide): text -> image recall@10 is 0.65 with 100 photos to fit on, 0.72 with
# 200, 0.77 with 400 and 0.78 with 620, where Lite2 itself has 0.85.
FEWEST_PHOTOS = 200
MOST_PHOTOS = 4_000  # more hardly help a linear map, and take long
MOST_CELLS = 16_000
MEASURED_PHOTOS = 200
CALIBRATION_PHOTOS = 48
ADAPTERS = "adapters.safetensors"
INT8 = "backbone.int8.onnx"

Progress = Callable[[str, int, int], object]


@dataclass(frozen=True, slots=True)
class Adoption:
    """Who takes over from whom, on which photos.

    `new` is a version whose backbone is wanted, `active` the one whose heads are kept; `numbers`
    are all photos that may be looked at and `load` reads them. `work` keeps what was seen until
    the version is published at `to`.
    """

    name: str
    new: Version
    active: Version
    numbers: Sequence[int]
    load: Load
    work: Path
    to: Path
    progress: Progress


def adopt(config: Adoption) -> Path:
    """Publish the version; its folder. Raises VisionError with the reason."""
    _check(config)
    draft = Draft.start(config.name, config.work / "draft", base=config.active)
    numbers = chosen(config.numbers)
    spec = _backbone(config, draft, numbers)
    eye = load_eye(config.active.folder, device="cpu")
    pair = Pair(eye, BACKBONES[spec["name"]](_drafted(config, draft, spec), spec, "cpu"))
    seen = look_at_all(
        pair,
        numbers,
        config.load,
        work=config.work / "seen",
        progress=lambda done, total: config.progress("Looking at photos with both", done, total),
    )
    if len(seen.get("number", ())) < FEWEST_PHOTOS:
        raise AdoptError(_too_few(len(seen.get("number", ()))))
    config.progress("Fitting heads", 0, 0)
    adapters, figures = fit(seen)
    side = int(eye.features([np.zeros((8, 8, 3), np.uint8)]).grid.shape[1])
    Adapters(adapters, cells=side)  # says what is wrong with them, if anything
    save_file(
        {name: array.astype(np.float16) for name, array in adapters.items()},
        draft.folder / ADAPTERS,
    )
    inner = {key: value for key, value in spec.items() if key != "name"}
    adopted = {"name": "adopted", "of": spec["name"], "adapters": ADAPTERS, "cells": side}
    draft.parts["backbone"] = inner | adopted
    return _publish(config, draft, eye, seen["number"].tolist(), figures)


def _check(config: Adoption) -> None:
    if config.to.exists():
        raise AdoptError(f"{config.name} is here already. Adopt under another name (--as).")
    if config.new.part("backbone") == config.active.part("backbone"):
        raise AdoptError(f"{config.new.name} has the backbone that is at work already.")
    if config.new.part("backbone")["name"] == "adopted":
        raise AdoptError(f"{config.new.name} was adopted itself; adopt what it was made of.")
    if len(config.numbers) < FEWEST_PHOTOS:
        raise AdoptError(_too_few(len(config.numbers)))


def _too_few(number: int) -> str:
    return (
        f"There are {number:,} photos to learn from; adopting a backbone takes at least "
        f"{FEWEST_PHOTOS}, better a few thousand. Add photos first. Nothing was changed."
    )


def chosen(numbers: Sequence[int]) -> list[int]:
    """The photos to look at: all, or as many as help, in an order that mixes them."""
    order = np.random.default_rng(0).permutation(len(numbers))[:MOST_PHOTOS]
    return [numbers[int(place)] for place in order]


def parts_of(number_of_photos: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows to fit on, to choose the penalty by, and to report on: 7, 1 and 2 tenths."""
    rows = np.arange(number_of_photos)
    report, choose = rows % 5 == 4, rows % 10 == 0
    return np.flatnonzero(~report & ~choose), np.flatnonzero(choose), np.flatnonzero(report)


def fit(seen: Arrays) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Adapters from what both saw, and how much of left-out photos' variance each explains."""
    fitted, choosing, reported = parts_of(len(seen["number"]))
    described = seen["described"].astype(np.float32)
    ridge = Ridge(described[fitted], described[choosing])
    weights: dict[str, np.ndarray] = {}
    figures: dict[str, Any] = {"photos": len(described)}
    for part in ("pooled", "stride16", "logits"):
        y = seen[part].astype(np.float32)
        found = ridge.fit(y[fitted], y[choosing])
        if part == "logits" and int(seen["classes"][0]) == y.shape[1]:
            own = _from_own(ridge, described, y, fitted, choosing)
            found = max((own, found), key=partial(_fitness, described[choosing], y[choosing]))
        figures[part] = round(explained(found(described[reported]), y[reported]), 4)
        weights |= _named(part, found)
    grid, figures["grid"] = _fit_grid(seen, fitted, choosing, reported)
    return weights | _named("grid", grid), {"variance_explained": figures}


def _from_own(
    ridge: Ridge, described: np.ndarray, y: np.ndarray, fitted: np.ndarray, choosing: np.ndarray
) -> LinearMap:
    """The logits as the new backbone's own, which end its description, corrected by a map.

    Two networks that know the same classes agree on most of them without any fitting. Measured
    with EfficientNet-Lite0 in Lite2's place, 200 photos: the first class among the five of 0.83 of
    the photos instead of 0.63, tags that overlap by 0.87 instead of 0.70; with 620 photos 0.83 and
    0.87 instead of 0.72 and 0.71. Variance would choose the other map, so the classes choose.
    """
    classes = y.shape[1]
    own = described[:, -classes:]
    found = ridge.fit((y - own)[fitted], (y - own)[choosing])
    matrix = found.matrix.copy()
    matrix[-classes:] += np.eye(classes, dtype=np.float32)
    return LinearMap(matrix, found.bias, found.explained, found.penalty)


def _fitness(x: np.ndarray, y: np.ndarray, found: LinearMap) -> tuple[float, float]:
    """Right classes first; of maps that are equally right, the one nearer to the numbers."""
    guess = found(x)
    return round(top_five(guess, y), 2), explained(guess, y)


def top_five(guess: np.ndarray, y: np.ndarray) -> float:
    """The share of photos whose likeliest class is among the five likeliest of the guess."""
    first = np.take_along_axis(guess, y.argmax(axis=1)[:, None], axis=1)
    return float(((guess > first).sum(axis=1) < 5).mean())


def _fit_grid(
    seen: Arrays, fitted: np.ndarray, choosing: np.ndarray, reported: np.ndarray
) -> tuple[LinearMap, float]:
    def cells(name: str, rows: np.ndarray) -> np.ndarray:
        flat = seen[name][rows].astype(np.float32)
        return flat.reshape(-1, flat.shape[-1])[:MOST_CELLS]

    ridge = Ridge(cells("new_cells", fitted), cells("new_cells", choosing))
    found = ridge.fit(cells("old_cells", fitted), cells("old_cells", choosing))
    guess = found(cells("new_cells", reported))
    return found, round(explained(guess, cells("old_cells", reported)), 4)


def _named(part: str, found: LinearMap) -> dict[str, np.ndarray]:
    return {f"{part}.matrix": found.matrix, f"{part}.bias": found.bias}


def _backbone(config: Adoption, draft: Draft, numbers: Sequence[int]) -> dict[str, Any]:
    """The specification of the new backbone, its files in the draft; int8 where it is torch's."""
    spec = dict(config.new.part("backbone"))
    for value in list(spec.values()):
        if isinstance(value, str) and value in config.new.manifest["files"]:
            name = f"new.{value}" if value == INT8 else value
            shutil.copyfile(config.new.path(value), draft.folder / name)
            spec = {key: name if each == value else each for key, each in spec.items()}
    official = spec["name"] == "inception-v3-official"
    if official and len(numbers) >= CALIBRATION_PHOTOS and can_quantise():
        spec = _in_int8(config, draft, spec, numbers)
    return spec


def can_quantise() -> bool:
    """Whether the package is here that int8 takes; without it the backbone stays float, slower."""
    return importlib.util.find_spec("onnx") is not None


def _in_int8(
    config: Adoption, draft: Draft, spec: dict[str, Any], numbers: Sequence[int]
) -> dict[str, Any]:
    """Export the official Inception-v3 as int8, calibrated on some of the photos."""
    from vision.backbones.inception import PAPER_SIZE
    from vision.backbones.inception_views import load_official
    from vision.pixels import squash
    from vision.training.backbone import export_backbone

    to, size = config.work / f"official.{INT8}", int(spec.get("input_size", PAPER_SIZE))
    if not to.exists():
        config.progress("Making the backbone fast", 0, 0)
        read = config.load(list(numbers[:CALIBRATION_PHOTOS]))
        photos = [squash(image, size) for image in read if image is not None]
        loaded: Any = load_official(config.new, config.new.part("backbone"), "cpu")
        with torch.inference_mode():
            export_backbone(loaded.network, size=size, photos=photos, to=to)
    shutil.copyfile(to, draft.folder / f"official.{INT8}")
    return spec | {
        "name": "inception-v3-official-int8",
        "onnx": f"official.{INT8}",
        "input_size": size,
    }


def _drafted(config: Adoption, draft: Draft, spec: dict[str, Any]) -> Version:
    """A version of the backbone alone, so that its files are verified like any other's."""
    folder = config.work / "backbone"
    shutil.rmtree(folder, ignore_errors=True)
    alone = Draft(config.name, draft.folder, parts={"backbone": spec})
    return open_version(alone.publish(folder, metrics={}, card=""))


def _publish(
    config: Adoption, draft: Draft, eye: Any, numbers: Sequence[int], figures: dict[str, Any]
) -> Path:
    """Measure on photos that nothing was fitted to, then publish.

    `numbers` are those that were seen, in the order that `fit` had them.
    """
    config.progress("Measuring", 0, 0)
    trial = config.work / "trial"
    shutil.rmtree(trial, ignore_errors=True)
    adopted = load_eye(draft.publish(trial, metrics={}, card=""), device="cpu")
    _, _, reported = parts_of(len(numbers))
    images = _images(config.load, [numbers[int(row)] for row in reported[:MEASURED_PHOTOS]])
    figures = {"adopted": figures | {"agreement": agreement(eye, adopted, images)}}
    folder = draft.publish(config.to, metrics=figures, card=card(config, figures))
    shutil.rmtree(config.work, ignore_errors=True)
    logger.info("adopted name=%s", config.name)
    return folder


def _images(load: Load, numbers: Sequence[int]) -> list[Image]:
    return [image for image in load(numbers) if image is not None]


CARD = """\
# {name}

The backbone of {new}, with the heads of {active}. Linear maps between the two were fitted on
{photos} photos of this library, without labels; none of the photos is part of the version.

On {measured} photos that nothing was fitted to, against {active} (1 is the same):

| figure | value |
|---|---|
{rows}
"""


def card(config: Adoption, figures: dict[str, Any]) -> str:
    adopted = figures["adopted"]
    measured = {
        **adopted["agreement"],
        "variance of the grid": adopted["variance_explained"]["grid"],
    }
    rows = [f"| {name} | {value} |" for name, value in measured.items() if name != "photos"]
    return CARD.format(
        name=config.name,
        new=config.new.name,
        active=config.active.name,
        photos=adopted["variance_explained"]["photos"],
        measured=adopted["agreement"]["photos"],
        rows="\n".join(rows),
    )
