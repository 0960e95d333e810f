"""Train on another problem: one more classifier beside what the active version can do."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings

from vision.classifying.training import ClassifierTraining, train_classifier
from vision.sight import Image
from vision.versions import open_version
from webapp.errors import NotFound
from webapp.library.services.decoding import decoders
from webapp.teach.datasets.models import DataSet
from webapp.teach.datasets.registering import slug_of, snapshot_of
from webapp.teach.runs.snapshots import training_folder
from webapp.teach.services import active_version, weights_folder
from webapp.teach.versions.fetched import load_photos, photos_to_fit_to
from webapp.teach.versions.folders import models_folder

if TYPE_CHECKING:
    from webapp.teach.runs.models import TrainingRun
    from webapp.teach.runs.telling import Teller

# Photos of the library that show what none of the classes looks like. Measured with 50 classes:
# 60 of them leave 0.08 of other photos with a tag, 400 leave 0.03; more costs time only.
BACKGROUND = 600


def train(run: "TrainingRun", tell: "Teller") -> str:
    """Train what `run.parameters` say on its data set; the name of the new version."""
    data_set = _data_set(run)
    snapshot = snapshot_of(data_set)
    _note(run, data_set)
    title = str(run.parameters["title"])
    folder = models_folder() / run.version_name
    if folder.exists():  # published by an attempt whose end was lost
        return run.version_name
    train_classifier(
        ClassifierTraining(
            name=run.version_name,
            slug=slug_of(title),
            title=title,
            snapshot=snapshot,
            base=open_version(weights_folder(run.base or active_version())),
            background=background,
            decoders=decoders(),
            kept=training_folder() / "features" / snapshot.digest,
            to=folder,
            head=str(run.parameters.get("head", "auto")),
            seed=run.seed,
            progress=tell.step,
            curve=lambda fit, epoch, figures: tell.points(epoch, figures, fit=fit),
        )
    )
    return run.version_name


def _data_set(run: "TrainingRun") -> DataSet:
    found = DataSet.objects.filter(pk=run.parameters.get("data_set") or 0, state="ready").first()
    if found is None:
        raise NotFound("The data set of this training is not there any more.")
    return found


def _note(run: "TrainingRun", data_set: DataSet) -> None:
    run.snapshot, run.photos = data_set.digest, data_set.photos
    run.save(update_fields=["snapshot", "photos"])


def background(size: int) -> Sequence[Image]:
    """Photos of the library, evenly spread over it, squashed to `size`."""
    numbers = photos_to_fit_to()
    chosen = np.linspace(0, len(numbers) - 1, min(BACKGROUND, len(numbers))).round().astype(int)
    images: list[Image] = []
    for start in range(0, len(chosen), settings.MAREA_LOOK_BATCH):
        batch = [numbers[int(row)] for row in chosen[start : start + settings.MAREA_LOOK_BATCH]]
        images += [image for image in load_photos(batch, size=size) if image is not None]
    return images
