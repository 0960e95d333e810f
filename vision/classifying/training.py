"""From a snapshot to a candidate version with one more classifier. Loads torch."""

import json
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from vision.backbones import BACKBONES
from vision.classifying.blocks import Tuning, layers_of, settled, tune
from vision.classifying.card import card
from vision.classifying.figures import figures_of
from vision.classifying.fitting import RECIPES, Examples, Fitted, Recipe, fit
from vision.classifying.grids import forget_grids
from vision.classifying.sides import Sides, backbone_key, look
from vision.classifying.snapshot import TEST, TRAIN, VALIDATION, Snapshot
from vision.classifying.thresholds import calibrate
from vision.decoding import DecoderPool
from vision.errors import TrainingError
from vision.heads.classifier import ClassifierNetwork, spec_of
from vision.heads.upper import UpperLayers, upper_spec_of
from vision.sight import Image
from vision.training.publish import Draft
from vision.versions import CLASSIFIER, Version

logger = logging.getLogger(__name__)

AUTO = "auto"
BLOCKS = "blocks"  # takes long, so it is never tried unasked
HEADS = (AUTO, *RECIPES, BLOCKS)

Progress = Callable[[str, int, int], object]
Curve = Callable[[str, int, dict[str, float]], object]  # which network, epoch, figures


def no_curve(name: str, epoch: int, figures: dict[str, float]) -> None:
    """For who watches nothing."""


@dataclass(frozen=True, slots=True)
class ClassifierTraining:
    """Which problem, on which version, and how.

    `slug` names the part and its files, `title` is for people. `background` gives photos of the
    library, squashed to the size it is told; there may be none. `kept` is where what the backbone
    sees stays for the next training.
    """

    name: str
    slug: str
    title: str
    snapshot: Snapshot
    base: Version
    background: Callable[[int], Sequence[Image]]
    decoders: DecoderPool
    kept: Path
    to: Path
    head: str = AUTO
    seed: int = 0
    progress: Progress = lambda step, done, total: None
    curve: Curve = no_curve


def train_classifier(config: ClassifierTraining) -> Path:
    """Publish the version; its folder. Raises VisionError with the reason."""
    if config.head not in HEADS:
        raise TrainingError(f"There is no head {config.head}; there are {', '.join(HEADS)}.")
    if config.to.exists():
        raise TrainingError(f"{config.name} is here already; give the new version another name.")
    spec = config.base.part("backbone")
    backbone = BACKBONES[spec["name"]](config.base, spec, "cpu")
    layers = layers_of(config.base) if config.head == BLOCKS else None
    sides = look(config, backbone, grids=layers is not None)
    fitted, examples = _best(config, sides.examples), sides.examples
    if layers:
        layers, fitted, examples = _deeper(config, layers, fitted, sides)
    config.progress("Measuring", 0, 0)
    calibrate(fitted.network, examples[TRAIN], examples[VALIDATION])
    figures = figures_of(fitted.network, examples[TEST], config.snapshot.labels, sides.names)
    figures |= _how(config, fitted, examples, sides.background)
    figures |= {"above_the_grid": layers is not None}
    folder = _publish(config, fitted.network, layers, figures)
    forget_grids(config.kept / backbone_key(config.base))
    return folder


def _best(config: ClassifierTraining, sides: dict[str, Examples]) -> Fitted:
    """The network that is right most often on the validation photos; of equals the surer one."""
    recipes = _recipes(config.head)
    tried: list[Fitted] = []
    for number, recipe in enumerate(recipes):
        config.progress("Learning", number, len(recipes))
        curve, classes = partial(config.curve, recipe.in_words), len(config.snapshot.labels)
        with one_thread():
            tried.append(
                fit(recipe, sides[TRAIN], sides[VALIDATION], classes, seed=config.seed, curve=curve)
            )
    return max(tried, key=lambda each: (round(each.top1, 3), -each.loss))


def _deeper(
    config: ClassifierTraining, layers: UpperLayers, head: Fitted, sides: Sides
) -> tuple[UpperLayers | None, Fitted, dict[str, Examples]]:
    """The layers above the grid trained with the best head; that head alone where it gains
    nothing."""
    tuned = tune(
        layers,
        head,
        sides.mapped[TRAIN],
        sides.mapped[VALIDATION],
        how=Tuning(),
        seed=config.seed,
        kept=config.kept / backbone_key(config.base),
        curve=lambda epoch, figures: _told_of_tuning(config, epoch, figures),
    )
    if not int(tuned.epoch):
        name = f"{head.recipe.name} (training the layers above the grid gained nothing)"
        return None, replace(head, recipe=replace(head.recipe, name=name)), sides.examples
    fitted, examples = settled(tuned, head, sides.mapped)
    return tuned.layers, fitted, examples


def _told_of_tuning(config: ClassifierTraining, epoch: int, figures: dict[str, float]) -> None:
    config.progress("Learning above the grid", epoch, Tuning().epochs)
    config.curve("above the grid", epoch, figures)


def _recipes(head: str) -> list[Recipe]:
    names = (head,) if head in RECIPES else tuple(RECIPES)
    return [recipe for name in names for recipe in RECIPES[name]]


@contextmanager
def one_thread() -> Iterator[None]:
    """Networks so small gain nothing by a second thread, and lose much to waiting for it wherever
    something else is at work: 152 seconds of processor time for Caltech-101 became 92."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _how(
    config: ClassifierTraining, fitted: Fitted, sides: dict[str, Examples], background: int
) -> dict[str, Any]:
    return {
        "title": config.title,
        "head": fitted.recipe.name,
        "epochs": fitted.epochs,
        "seed": config.seed,
        "data": config.snapshot.digest,
        "learned_from": int((sides[TRAIN].labels < len(config.snapshot.labels)).sum()),
        "background_photos": background,
        "temperature": float(fitted.network.temperature),
    }


def _publish(
    config: ClassifierTraining,
    network: ClassifierNetwork,
    layers: UpperLayers | None,
    figures: dict[str, Any],
) -> Path:
    config.to.parent.mkdir(parents=True, exist_ok=True)
    drafted = config.to.with_name(f".{config.to.name}.draft")
    shutil.rmtree(drafted, ignore_errors=True)
    try:
        draft = Draft.start(config.name, drafted, base=config.base)
        draft.parts[CLASSIFIER + config.slug] = _write(config, network, layers, drafted)
        metrics = metrics_of(config.base)
        own = metrics.get("classifiers", {}) | {config.slug: figures}
        folder = draft.publish(
            config.to, metrics=metrics | {"classifiers": own}, card=card(config, figures)
        )
    finally:
        shutil.rmtree(drafted, ignore_errors=True)
    logger.info("trained classifier=%s version=%s", config.slug, config.name)
    return folder


def _write(
    config: ClassifierTraining,
    network: ClassifierNetwork,
    layers: UpperLayers | None,
    to: Path,
) -> dict[str, Any]:
    name = f"classifier-{config.slug}"
    file, labels, above = f"{name}.safetensors", f"{name}.labels.json", f"{name}.layers.safetensors"
    _save(network, to / file)
    (to / labels).write_text(
        json.dumps(list(config.snapshot.labels), ensure_ascii=False), encoding="utf-8"
    )
    named = {"title": config.title, "file": file, "labels": labels}
    if layers is None:
        return spec_of(network.config, **named)
    _save(layers, to / above)
    return upper_spec_of(network.config, layers.config, **named, layers=above)


def _save(module: nn.Module, place: Path) -> None:
    state = {name: value.contiguous() for name, value in module.state_dict().items()}
    if not all(torch.isfinite(value).all() for value in state.values()):
        raise TrainingError("Training ended in numbers that are none. Try another head or seed.")
    save_file(state, place)


def metrics_of(version: Version) -> dict[str, Any]:
    """A version's figures; none when they cannot be read."""
    try:
        found = json.loads((version.folder / "metrics.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def without_classifier(name: str, base: Version, slug: str, to: Path) -> Path:
    """A version like `base` that knows one problem less. Raises VisionError."""
    base.part(CLASSIFIER + slug)
    drafted = to.with_name(f".{to.name}.draft")
    try:
        draft = Draft.start(name, drafted, base=base)
        del draft.parts[CLASSIFIER + slug]
        metrics = metrics_of(base)
        metrics.get("classifiers", {}).pop(slug, None)
        text = f"# {name}\n\n{base.name} without its classifier {slug}.\n"
        return draft.publish(to, metrics=metrics, card=text)
    finally:
        shutil.rmtree(drafted, ignore_errors=True)
