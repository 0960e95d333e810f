"""Classifiers whose layers above the backbone's grid were trained too."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save

from tests.hostile.classifier_folders import manifest, pickled, replaced
from tests.patterns import a_pattern, pixels_of
from tests.vision.problems import a_training, others
from vision.backbones import BACKBONES
from vision.classifying.blocks import Mapped, Tuned, Tuning, layers_of, settled, tune
from vision.classifying.fitting import RECIPES, Examples, Fitted, fit
from vision.classifying.grids import Grids, keep_grids, kept_grids, once
from vision.classifying.snapshot import TEST, TRAIN, VALIDATION
from vision.classifying.training import ClassifierTraining, train_classifier
from vision.decoding import DecoderPool
from vision.errors import TrainingError, VisionError
from vision.eye import load_eye
from vision.heads.classifier import describe
from vision.heads.upper import UpperConfig, UpperLayers
from vision.training.publish import Draft
from vision.versions import open_version

CLASSES = {"gneis": "stripes", "斑点": "dots", "checks": "checks"}
FAST = Tuning(rate=0.02, hold=0.0, epochs=20, patience=20)


def together_or_apart(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Grids whose first two channels are lit in the same cells (1), or never in one (0)."""
    chance = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    grids = np.zeros((count, 16, 3), np.float32)
    for grid, label in zip(grids, labels, strict=True):
        cells, lit = chance.permutation(16), int(chance.integers(3, 8))
        grid[cells[:lit], 0] = 1
        grid[cells[:lit] if label else cells[lit : 2 * lit], 1] = 1
    grids[:, :, 2] = chance.random((count, 16))
    return grids.reshape(count, 4, 4, 3), labels


def channel_by_channel() -> UpperLayers:
    """A layer that looks at each channel alone: what it pools is the same of both classes."""
    layers = UpperLayers(UpperConfig(channels=3, width=6))
    layers.cells.weight.data.copy_(torch.eye(3).repeat(2, 1))
    layers.cells.bias.data.fill_(-0.5)
    return layers


@torch.no_grad()
def a_side(count: int, seed: int) -> Mapped:
    grids, labels = together_or_apart(count, seed)
    stride16 = np.random.default_rng(seed).random((count, 2), np.float32)
    plain = channel_by_channel()(torch.from_numpy(grids), torch.from_numpy(stride16)).numpy()
    return Mapped(Examples(plain, plain, labels), Grids([once(grids)]), np.arange(count))


def nothing(epoch: int, figures: dict[str, float]) -> None:
    """Watches no curve."""


@pytest.fixture(scope="module")
def sides() -> dict[str, Mapped]:
    counts = {TRAIN: 256, VALIDATION: 64, TEST: 64}
    return {name: a_side(count, seed) for seed, (name, count) in enumerate(counts.items())}


@pytest.fixture(scope="module")
def head(sides: dict[str, Mapped]) -> Fitted:
    examples = sides[TRAIN].examples, sides[VALIDATION].examples
    return fit(RECIPES["linear"][0], *examples, 2, seed=0, curve=nothing)


def tuned(
    head: Fitted, sides: dict[str, Mapped], kept: Path, how: Tuning = FAST, curve: Any = nothing
) -> Tuned:
    train, validation = sides[TRAIN], sides[VALIDATION]
    return tune(
        channel_by_channel(), head, train, validation, how=how, seed=0, kept=kept, curve=curve
    )


def test_it_learns_what_no_head_can_read_from_pooled_features(
    head: Fitted, sides: dict[str, Mapped], tmp_path: Path
) -> None:
    assert head.top1 < 0.7
    model = tuned(head, sides, tmp_path)
    fitted, examples = settled(model, head, sides)
    assert fitted.top1 >= 0.9
    test = examples[TEST]
    with torch.inference_mode():
        guess = fitted.network(torch.from_numpy(test.plain))[:, :-1].argmax(dim=1).numpy()
    assert (guess == test.labels).mean() >= 0.9
    assert not list(tmp_path.iterdir())  # a training that ended leaves no checkpoint


def test_interrupted_it_goes_on_to_the_same_weights(
    head: Fitted, sides: dict[str, Mapped], tmp_path: Path
) -> None:
    how = replace(FAST, epochs=4)
    whole = tuned(head, sides, tmp_path / "whole", how)

    def stops(epoch: int, figures: dict[str, float]) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tuned(head, sides, tmp_path / "parts", how, stops)
    epochs: list[int] = []
    again = tuned(head, sides, tmp_path / "parts", how, lambda epoch, figures: epochs.append(epoch))
    assert epochs == [3, 4]
    mine, theirs = again.state_dict(), whole.state_dict()
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


def test_it_is_held_to_the_start_and_ends_when_nothing_is_gained(
    head: Fitted, sides: dict[str, Mapped], tmp_path: Path
) -> None:
    start = channel_by_channel().cells.weight.detach()

    def moved(how: Tuning) -> float:
        return float((tuned(head, sides, tmp_path, how).layers.cells.weight - start).abs().max())

    free, held = replace(FAST, epochs=6), replace(FAST, epochs=6, hold=40.0)
    assert moved(held) < 0.5 * moved(free)
    epochs: list[int] = []
    spoilt = replace(FAST, rate=30.0, patience=2)
    model = tuned(head, sides, tmp_path, spoilt, lambda epoch, figures: epochs.append(epoch))
    assert (int(model.epoch), epochs) == (0, [1, 2])


def test_the_backbones_own_layer_gives_its_own_features() -> None:
    version = open_version()
    spec = version.part("backbone")
    backbone = BACKBONES[spec["name"]](version, spec, "cpu")
    seen = backbone(np.stack(others(backbone.input_size)[:4]))
    with torch.inference_mode():
        made = layers_of(version)(torch.from_numpy(seen.grid), torch.from_numpy(seen.stride16))
    far = np.abs(made.numpy() - describe(seen)).mean() / np.abs(describe(seen)).mean()
    assert far < 0.03  # int8 below, float here


def test_grids_come_back_in_order_each_as_it_is_or_mirrored(tmp_path: Path) -> None:
    grids = np.arange(5 * 2 * 2 * 3, dtype=np.float32).reshape(5, 2, 2, 3)
    keep_grids(tmp_path / "a.grids.npy", grids[:2], grids[:2, :, ::-1])
    keep_grids(tmp_path / "b.grids.npy", grids[:0], grids[:0])
    parts = [kept_grids(tmp_path / f"{name}.grids.npy") for name in "ab"]
    every = Grids([*parts, once(grids[2:])])
    rows, turned = np.array([4, 0, 1, 2]), np.array([True, True, False, False])
    found = every.take(rows, turned).numpy()
    assert np.array_equal(found, np.stack([grids[4], grids[0, :, ::-1], grids[1], grids[2]]))


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> ClassifierTraining:
    return a_training(tmp_path_factory.mktemp("upper"), CLASSES, slug="pets", head="blocks")


@pytest.fixture(scope="module")
def trained(config: ClassifierTraining) -> Path:
    folder = train_classifier(config)
    config.decoders.close()
    return folder


def test_a_version_says_its_tags_from_one_pass_of_the_backbone(trained: Path) -> None:
    eye = load_eye(trained, device="cpu")
    (classifier,) = eye.classify
    assert type(classifier).__name__ == "UpperClassifier"
    assert eye.input_size == load_eye(device="cpu").input_size  # asks for no photos of its own
    for label, kind in CLASSES.items():
        new = [pixels_of(a_pattern(kind, seed)) for seed in range(50, 56)]
        tags = eye.tags(eye.embedded(eye.features(new)))
        assert sum(label in dict(each) for each in tags) >= 4, label
    strange = [pixels_of(a_pattern("rings", seed)) for seed in range(50, 56)]
    tags = eye.tags(eye.embedded(eye.features(strange)))
    assert sum(not CLASSES.keys() & dict(each).keys() for each in tags) >= 5
    assert not list(trained.parent.rglob("*.grids.npy"))  # large, and of no use any more
    figures = json.loads((trained / "metrics.json").read_text("utf-8"))["classifiers"]["pets"]
    assert figures["above_the_grid"]
    assert figures["head"].startswith("blocks")
    assert "layer of its own" in (trained / "card.md").read_text("utf-8")


def test_a_copy_has_all_files_and_a_plain_head_in_its_place_leaves_none(
    config: ClassifierTraining, trained: Path
) -> None:
    base = open_version(trained)
    draft = Draft.start("copy", trained.with_name("draft"), base=base)
    load_eye(draft.publish(trained.with_name("copy"), metrics={}, card=""), device="cpu")
    plain = replace(config, name="plain", base=base, head="linear", to=trained.with_name("plain"))
    assert not list(train_classifier(plain).glob("*.layers.safetensors"))


@pytest.mark.parametrize("head", ["linear", "blocks"])
def test_a_library_without_photos_will_do(
    head: str, config: ClassifierTraining, trained: Path
) -> None:
    with DecoderPool(1) as decoders:
        empty = replace(
            config,
            name=f"empty-{head}",
            head=head,
            background=lambda size: [],
            decoders=decoders,
            to=trained.with_name(f"empty-{head}"),
        )
        load_eye(train_classifier(empty), device="cpu")


def test_another_backbone_is_refused_before_anything_is_looked_at(
    config: ClassifierTraining, trained: Path
) -> None:
    other = replace(config, base=open_version("inception-2026.11"), to=trained.with_name("other"))
    with pytest.raises(TrainingError, match="EfficientNet-Lite2 only"):
        train_classifier(other)


LAYERS = "classifier-pets.layers.safetensors"


def upper(**changes: object) -> Callable[[Path], None]:
    def change(content: dict[str, Any]) -> None:
        content["parts"]["classifier:pets"].update(changes)

    return lambda folder: manifest(folder, change)


def arrays(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def poison(folder: Path) -> None:
        content = dict(load((folder / LAYERS).read_bytes()))
        change(content)
        replaced(folder, LAYERS, save(content))

    return poison


POISONS: dict[str, Callable[[Path], None]] = {
    "pickle": lambda folder: replaced(folder, LAYERS, pickled(folder)),
    "missing": lambda folder: (folder / LAYERS).unlink(),
    "not_finite": arrays(lambda content: content["cells.weight"].fill(np.nan)),
    "one_array_more": arrays(lambda content: content.update(more=np.zeros(1, np.float32))),
    "wrong_shape": arrays(lambda content: content.update({"cells.bias": np.zeros(2, np.float32)})),
    "no_layers": upper(layers=None),
    "out_by_name": upper(layers="../secret.safetensors"),
    "pickle_named": upper(layers="layers.pt"),
    "no_size": upper(upper=None),
    "words": upper(upper={"channels": "many", "width": 1280}),
    "huge": upper(upper={"channels": 2**40, "width": 1280}),
    "more": upper(upper={"channels": 352, "width": 1280, "code": 1}),
}


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS)
def test_poisoned_layers_are_refused_in_a_sentence(
    poison: Callable[[Path], None], trained: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(trained, tmp_path / "pets")
    poison(folder)
    with pytest.raises(VisionError) as caught:
        load_eye(folder, device="cpu")
    assert str(caught.value).endswith(".")
    assert not (tmp_path / "touched").exists()


def test_layers_for_another_grid_are_refused(trained: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(trained, tmp_path / "pets")
    narrow = {"cells.weight": np.zeros((1280, 8), np.float32), "cells.bias": np.zeros(1280, "f4")}
    replaced(folder, LAYERS, save(narrow))
    upper(upper={"channels": 8, "width": 1280})(folder)
    eye = load_eye(folder, device="cpu")
    with pytest.raises(VisionError, match="another backbone"):
        eye.look([pixels_of(a_pattern("dots", 1))])
