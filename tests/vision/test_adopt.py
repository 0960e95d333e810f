"""A backbone takes over: the maps, what was seen kept, and the version that comes of it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.vision.folders import draw, write_version
from vision.adapters import PARTS, Adapters, described, resampled
from vision.adopting import adopting, looking
from vision.adopting.adopting import Adoption, adopt, chosen, parts_of
from vision.adopting.fitting import Ridge, explained
from vision.backbones import BACKBONES
from vision.backbones.base import Backbone, Features
from vision.errors import AdoptError, WeightsError
from vision.eye import load_eye
from vision.sight import Image
from vision.versions import Version, open_version

PHOTOS = 60


class Mirrored:
    """Another backbone, as far as heads can tell: the default one, its features shuffled."""

    def __init__(self, inner: Backbone) -> None:
        self.inner, self.input_size = inner, inner.input_size

    def __call__(self, pixels_BHWC: NDArray[np.uint8]) -> Features:
        seen = self.inner(pixels_BHWC)
        parts = (seen.pooled, seen.stride16, seen.grid, seen.logits)
        return Features(*(2 * part[..., ::-1] + 1 for part in parts))


@pytest.fixture(scope="module")
def mirrored() -> str:
    name = "mirrored-for-tests"

    def load(version: Version, spec: dict[str, Any], device: str) -> Mirrored:
        base = open_version()
        spec = base.part("backbone")
        return Mirrored(BACKBONES[spec["name"]](base, spec, device))

    if name not in BACKBONES:
        BACKBONES.register(name)(load)
    return name


def _load(numbers: Sequence[int]) -> list[Image | None]:
    return [draw(number) if number % 20 else None for number in numbers]  # some are unreadable


def _adoption(folder: Path, backbone: str, **fields: Any) -> Adoption:
    new = write_version(folder / "new", {}, {"backbone": {"name": backbone}})
    row: dict[str, Any] = {
        "name": "adopted",
        "new": open_version(new),
        "active": open_version(),
        "numbers": list(range(PHOTOS)),
        "load": _load,
        "work": folder / "work",
        "to": folder / "adopted",
        "progress": lambda step, done, total: None,
    }
    return Adoption(**(row | fields))


def test_heads_go_on_as_they_were_behind_another_backbone(
    tmp_path: Path, mirrored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adopting, "FEWEST_PHOTOS", 40)
    steps: list[str] = []
    config = _adoption(tmp_path, mirrored, progress=lambda step, *_: steps.append(step))
    folder = adopt(config)
    figures = json.loads((folder / "metrics.json").read_text())["adopted"]
    agreement = figures["agreement"]
    assert figures["variance_explained"]["photos"] == PHOTOS - 3  # the unreadable are left out
    assert agreement["embedding_cosine"] > 0.9
    assert agreement["recall@10"] > 0.9
    assert figures["variance_explained"]["grid"] > 0.9
    assert steps[0] == "Looking at photos with both"
    assert {"Fitting heads", "Measuring"} <= set(steps)
    assert not config.work.exists()
    before, after = load_eye(device="cpu"), load_eye(folder, device="cpu")
    one, other = before.look([draw(7)])[0], after.look([draw(7)])[0]
    assert one.embedding @ other.embedding > 0.8
    assert len(other.caption.split()) >= 3
    with pytest.raises(AdoptError, match="is here already"):
        adopt(config)


def test_an_adoption_that_was_interrupted_goes_on_with_what_was_not_seen(
    tmp_path: Path, mirrored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "PORTION", 4)
    version = open_version(write_version(tmp_path / "new", {}, {"backbone": {"name": mirrored}}))
    new = BACKBONES[mirrored](version, version.part("backbone"), "cpu")
    pair = looking.Pair(load_eye(device="cpu"), new)
    asked: list[int] = []

    def load(numbers: Sequence[int]) -> list[Image | None]:
        asked.extend(numbers)
        if len(asked) == 8:
            raise KeyboardInterrupt
        return [draw(number) for number in numbers]

    def look() -> looking.Arrays:
        numbers = list(range(12))
        return looking.look_at_all(
            pair, numbers, load, work=tmp_path / "work", progress=lambda *_: None
        )

    with pytest.raises(KeyboardInterrupt):
        look()
    seen = look()
    assert asked == [0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7, 8, 9, 10, 11]
    assert seen["number"].tolist() == list(range(12))
    assert seen["old_cells"].shape == (12, looking.CELLS_A_PHOTO, 352)
    assert seen["embedding"].shape == (12, 512)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"numbers": range(7)}, "There are 7 photos to learn from.*at least 200"),
        ({"new": open_version()}, "at work already"),
    ],
)
def test_what_cannot_take_over_is_told_before_anything_is_done(
    tmp_path: Path, fields: dict[str, Any], reason: str
) -> None:
    config = _adoption(tmp_path, "inception-v3", **fields)
    with pytest.raises(AdoptError, match=reason):
        adopt(config)
    assert not config.work.exists()


@pytest.mark.parametrize("photos", [50, 400])
def test_the_map_is_found_from_few_photos_and_from_many(photos: int) -> None:
    """Fewer photos than features are solved in the dual form, to the same end."""
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(photos + 100, 20)) @ rng.normal(size=(20, 100))).astype(np.float32)
    y = x @ rng.normal(size=(100, 5)).astype(np.float32) + 3.0
    fitted = Ridge(x[:photos], x[photos : photos + 50]).fit(y[:photos], y[photos : photos + 50])
    assert fitted.explained > 0.99
    assert explained(fitted(x[photos + 50 :]), y[photos + 50 :]) > 0.99


def test_both_forms_of_the_regression_agree() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(40, 40)).astype(np.float32), rng.normal(size=(40, 3)).astype(np.float32)
    dual = Ridge(x[:39], x[:10])
    primal = Ridge(x[:39], x[:10])
    assert dual.dual
    primal.dual = False
    values, primal.vectors = np.linalg.eigh(primal.x.T @ primal.x)
    primal.values = np.maximum(values, 0.0)
    one, other = (each.fit(y[:39], y[:10]) for each in (dual, primal))
    assert one.penalty == other.penalty
    assert one.matrix == pytest.approx(other.matrix, abs=1e-3)


def test_noise_is_not_learned_by_heart() -> None:
    rng = np.random.default_rng(2)
    x, y = (
        rng.normal(size=(80, 200)).astype(np.float32),
        rng.normal(size=(80, 4)).astype(np.float32),
    )
    fitted = Ridge(x[:60], x[60:70]).fit(y[:60], y[60:70])
    assert explained(fitted(x[70:]), y[70:]) > -0.5


def test_photos_are_fitted_on_chosen_by_and_reported_on_apart() -> None:
    parts = parts_of(1000)
    assert [len(rows) for rows in parts] == [700, 100, 200]
    assert sorted(np.concatenate(parts).tolist()) == list(range(1000))


def test_a_large_library_is_sampled_and_always_alike() -> None:
    numbers = list(range(10_000))
    assert len(chosen(numbers)) == adopting.MOST_PHOTOS
    assert chosen(numbers) == chosen(numbers)
    assert sorted(chosen(list(range(9)))) == list(range(9))


def test_a_grid_of_another_size_is_stretched_in_place() -> None:
    grid = np.zeros((1, 8, 8, 2), dtype=np.float32)
    grid[0, :, 4:, 0] = 1.0
    stretched = resampled(grid, 9)
    assert stretched.shape == (1, 9, 9, 2)
    assert (stretched[0, :, :4, 0] == 0).all()
    assert (stretched[0, :, 5:, 0] == 1).all()
    assert resampled(grid, 8) is not None


def test_adapters_of_another_backbone_are_refused() -> None:
    weights = {
        f"{part}.{kind}": np.zeros((6, 2) if kind == "matrix" else 2, dtype=np.float32)
        for part in PARTS
        for kind in ("matrix", "bias")
    }
    one = np.ones((1, 3), dtype=np.float32)
    views = (one, one, np.ones((1, 2, 2, 5), dtype=np.float32), one)
    assert described(views).shape == (1, 9)
    with pytest.raises(WeightsError, match="takes 6 numbers, the backbone gives 9"):
        Adapters(weights, cells=2)(views)
    del weights["grid.bias"]
    with pytest.raises(WeightsError, match=r"look at: grid\.bias"):
        Adapters(weights, cells=2)


def test_a_classifier_of_the_same_classes_is_believed_before_anything_is_fitted() -> None:
    """Forty photos say nothing of a hundred classes; that both networks know them does."""
    rng = np.random.default_rng(3)
    own = rng.normal(size=(40, 100))
    cells = rng.normal(size=(40, 2, 4))
    seen = {
        "number": np.arange(40),
        "described": np.concatenate([rng.normal(size=(40, 8)), own], axis=1),
        "classes": np.full(40, 100),
        "pooled": rng.normal(size=(40, 6)),
        "stride16": rng.normal(size=(40, 3)),
        "logits": own + 0.1 * rng.normal(size=own.shape) + 1.0,
        "new_cells": cells,
        "old_cells": cells,
    }
    weights, figures = adopting.fit(seen)
    assert figures["variance_explained"]["logits"] > 0.95
    assert weights["logits.matrix"].shape == (108, 100)
    unknown = seen | {"classes": np.full(40, 99)}
    _, blind = adopting.fit(unknown)
    assert blind["variance_explained"]["logits"] < 0.5
