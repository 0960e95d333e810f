"""From a snapshot to a candidate version with one more classifier. Loads torch."""

import json
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from vision.backbones import BACKBONES
from vision.backbones.base import Backbone
from vision.classifying.card import card
from vision.classifying.figures import figures_of
from vision.classifying.fitting import RECIPES, Examples, Fitted, fit
from vision.classifying.looking import Described, Floats, look_at_files, look_at_images
from vision.classifying.snapshot import SPLITS, TEST, TRAIN, VALIDATION, Snapshot
from vision.classifying.thresholds import calibrate
from vision.decoding import DecoderPool
from vision.errors import TrainingError
from vision.heads.classifier import ClassifierNetwork, spec_of
from vision.sight import Image
from vision.training.publish import Draft
from vision.versions import CLASSIFIER, Version

logger = logging.getLogger(__name__)

AUTO = "auto"
HEADS = (AUTO, *RECIPES)
# Libraries hold photos of the classes too, which must not be learned as "none of them": one that
# lies nearer to a class than the farthest tenth of its own photos do is left out. Of Caltech-101
# with 470 photos of its classes among 970 of the library, 0.83 of new photos get a tag; a half in
# place of a tenth gives 0.73. With none of them in the library it is 0.80 and 0.81.
LIKE_A_MEMBER = 0.1
SPLIT_OF_BACKGROUND = {TRAIN: 0.7, VALIDATION: 0.15, TEST: 0.15}

Progress = Callable[[str, int, int], object]
Curve = Callable[[int, dict[str, float]], object]


def no_curve(step: int, figures: dict[str, float]) -> None:
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
    sides, names, background = _look(config, backbone)
    fitted = _best(config, sides)
    config.progress("Measuring", 0, 0)
    calibrate(fitted.network, sides[TRAIN], sides[VALIDATION])
    figures = figures_of(fitted.network, sides[TEST], config.snapshot.labels, names)
    figures |= _how(config, fitted, sides, background)
    return _publish(config, fitted.network, figures)


def _look(
    config: ClassifierTraining, backbone: Backbone
) -> tuple[dict[str, Examples], list[str], int]:
    """Examples of each side, the names of the test photos, and how much background there is."""
    snapshot = config.snapshot
    seen = look_at_files(
        [snapshot.path(item) for item in snapshot.items],
        backbone,
        decoders=config.decoders,
        kept=config.kept / _backbone_key(config.base),
        progress=lambda done, total: config.progress("Looking at the photos", done, total),
    )
    items = [snapshot.items[int(row)] for row in seen.rows]
    if {item.split for item in items} != set(SPLITS):
        raise TrainingError("Too few photos of this data set can be read. Nothing was trained.")
    config.progress("Looking at photos of the library", 0, 0)
    others = look_at_images(config.background(backbone.input_size), backbone)
    labels = np.array([item.label for item in items], np.int64)
    others = unlike_the_classes(others, seen.plain, labels)
    shares = _shares_of_background(len(others))
    sides = {}
    for split in SPLITS:
        own = np.array([item.split == split for item in items])
        sides[split] = _examples(seen, own, labels, others[shares[split]], len(snapshot.labels))
    names = [item.sha256 for item in items if item.split == TEST]
    return sides, names, len(others)


def _backbone_key(base: Version) -> str:
    """What is seen depends on the backbone's exact bytes."""
    spec = base.part("backbone")
    files = [value for value in spec.values() if isinstance(value, str)]
    hashes = [
        base.manifest["files"][file]["sha256"] for file in files if file in base.manifest["files"]
    ]
    return (hashes[0] if hashes else spec["name"])[:16]


def unlike_the_classes(others: Floats, plain: Floats, labels: np.ndarray) -> Floats:
    """Those background photos that are not likely to show one of the classes."""
    if not len(others):
        return np.zeros((0, plain.shape[1]), np.float32)
    mean, deviation = plain.mean(axis=0), plain.std(axis=0) + 1e-3
    own, away = _units((plain - mean) / deviation), _units((others - mean) / deviation)
    likely = np.zeros(len(others), bool)
    for label in np.unique(labels):
        members = own[labels == label]
        middle = _units(members.mean(axis=0, keepdims=True))[0]
        likely |= away @ middle > np.quantile(members @ middle, LIKE_A_MEMBER)
    return others[~likely]


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


def _best(config: ClassifierTraining, sides: dict[str, Examples]) -> Fitted:
    """The network that is right most often on the validation photos; of equals the surer one."""
    names = RECIPES if config.head == AUTO else (config.head,)
    recipes = [recipe for name in names for recipe in RECIPES[name]]
    tried: list[Fitted] = []
    steps = 0
    for number, recipe in enumerate(recipes):
        config.progress("Learning", number, len(recipes))

        def curve(epoch: int, figures: dict[str, float], before: int = steps) -> None:
            config.curve(before + epoch, figures)

        classes = len(config.snapshot.labels)
        with one_thread():
            tried.append(
                fit(recipe, sides[TRAIN], sides[VALIDATION], classes, seed=config.seed, curve=curve)
            )
        steps += recipe.epochs
    return max(tried, key=lambda each: (round(each.top1, 3), -each.loss))


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
    config: ClassifierTraining, network: ClassifierNetwork, figures: dict[str, Any]
) -> Path:
    config.to.parent.mkdir(parents=True, exist_ok=True)
    drafted = config.to.with_name(f".{config.to.name}.draft")
    shutil.rmtree(drafted, ignore_errors=True)
    try:
        draft = Draft.start(config.name, drafted, base=config.base)
        draft.parts[CLASSIFIER + config.slug] = _write(config, network, drafted)
        metrics = metrics_of(config.base)
        own = metrics.get("classifiers", {}) | {config.slug: figures}
        folder = draft.publish(
            config.to, metrics=metrics | {"classifiers": own}, card=card(config, figures)
        )
    finally:
        shutil.rmtree(drafted, ignore_errors=True)
    logger.info("trained classifier=%s version=%s", config.slug, config.name)
    return folder


def _write(config: ClassifierTraining, network: ClassifierNetwork, to: Path) -> dict[str, Any]:
    file, labels = f"classifier-{config.slug}.safetensors", f"classifier-{config.slug}.labels.json"
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    if not all(torch.isfinite(value).all() for value in state.values()):
        raise TrainingError("Training ended in numbers that are none. Try another head or seed.")
    save_file(state, to / file)
    (to / labels).write_text(
        json.dumps(list(config.snapshot.labels), ensure_ascii=False), encoding="utf-8"
    )
    return spec_of(network.config, title=config.title, file=file, labels=labels)


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
