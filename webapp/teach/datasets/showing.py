"""What the pages about problems show."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vision.classifying.snapshot import Snapshot
from vision.classifying.words import in_words, often
from vision.errors import WeightsError
from vision.versions import CLASSIFIER, classifiers_of, open_version
from webapp.teach.datasets.asking import PROBLEM
from webapp.teach.datasets.models import DataSet
from webapp.teach.datasets.registering import slug_of
from webapp.teach.runs.models import TrainingRun
from webapp.teach.services import active_version, weights_folder

THUMBNAILS = 4  # of each class
SHOWN_CLASSES = 60  # with thumbnails; the others by name and number
WEAK_CLASSES = 8


@dataclass(frozen=True, slots=True)
class ShownClass:
    """A class: its label, how many photos it has, and the SHA-256s of some."""

    label: str
    photos: int
    some: Sequence[str]


@dataclass(frozen=True, slots=True)
class ShownRun:
    """A training on a data set, and what is said of the classifier that it made."""

    run: TrainingRun
    sentences: Sequence[str]
    confusions: Sequence[dict[str, Any]]
    weak: Sequence[tuple[str, str]]  # (label, how often its photos are known)


@dataclass(frozen=True, slots=True)
class ShownClassifier:
    """A problem that the active version knows."""

    slug: str
    title: str
    classes: int


def shown_classes(snapshot: Snapshot) -> list[ShownClass]:
    """Every class, in the order of the alphabet; always the same photos."""
    members: list[list[str]] = [[] for _ in snapshot.labels]
    for item in snapshot.items:
        members[item.label].append(item.sha256)
    return [
        ShownClass(label, len(own), _some(own) if number < SHOWN_CLASSES else ())
        for number, (label, own) in enumerate(zip(snapshot.labels, members, strict=True))
    ]


def _some(own: Sequence[str]) -> list[str]:
    return random.Random(0).sample(own, min(THUMBNAILS, len(own)))


def shown_runs(data_set: DataSet) -> list[ShownRun]:
    """Its trainings, newest first."""
    runs = TrainingRun.objects.filter(kind=PROBLEM, parameters__data_set=data_set.pk)
    return [_shown_run(run) for run in runs.select_related("job", "version").order_by("-pk")]


def _shown_run(run: TrainingRun) -> ShownRun:
    figures = _figures(run)
    if not figures:
        return ShownRun(run, (), (), ())
    rows = figures["by_class"].items()
    weak = sorted((row["recall"], label) for label, row in rows if row["photos"])[:WEAK_CLASSES]
    return ShownRun(
        run=run,
        sentences=in_words(figures),
        confusions=figures["confusions"],
        weak=[(label, often(recall)) for recall, label in weak if recall < 1],
    )


def _figures(run: TrainingRun) -> dict[str, Any]:
    if run.version is None:
        return {}
    own: dict[str, Any] = run.version.metrics.get("classifiers", {})
    return own.get(slug_of(str(run.parameters.get("title", ""))), {})


def known_problems() -> list[ShownClassifier]:
    """The classifiers of the active version."""
    try:
        version = open_version(weights_folder(active_version()))
    except WeightsError:
        return []
    return [
        ShownClassifier(
            slug=part.removeprefix(CLASSIFIER),
            title=str(version.parts[part].get("title", part)),
            classes=int(version.parts[part].get("config", {}).get("classes", 0)),
        )
        for part in classifiers_of(version)
    ]
