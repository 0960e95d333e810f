"""How good a classifier is on a folder of classes that it has not learned from."""

from pathlib import Path

import numpy as np

from vision.backbones import BACKBONES
from vision.backbones.base import Backbone
from vision.classifying.figures import answers_of
from vision.classifying.looking import look_at_images
from vision.decoding import Rendering
from vision.errors import DataMissing, WeightsError
from vision.heads import CLASSIFIERS
from vision.heads.classifier import Classifier
from vision.sight import Image
from vision.versions import CLASSIFIER, Version, open_version
from webapp.errors import NotFound
from webapp.library.services.decoding import decoders
from webapp.teach.datasets.contents import label_members
from webapp.teach.datasets.folders import open_folder
from webapp.teach.evaluation.figures import Figures
from webapp.teach.versions.folders import folder_to_measure, models_folder

BATCH = 64


def measure_classifier(name: str, folder: Path) -> Figures:
    """Figures of the classifier called `name`, of the active version or the newest that has it.

    Folders of classes that it does not know are for what it should say nothing of.
    """
    version, part = _find(name)
    spec = version.part("backbone")
    backbone = BACKBONES[spec["name"]](version, spec, "cpu")
    found = CLASSIFIERS[version.part(part)["name"]](version, version.part(part), "cpu")
    if not isinstance(found, Classifier):
        raise WeightsError(f"{part} is no classifier that was trained here.")
    truth, described = _look(folder, found, backbone)
    own = truth >= 0
    if not own.any():
        raise DataMissing(f"{folder} has no folder that is named like a class of {name}.")
    answers = answers_of(found.network, described)
    right = answers.label == truth
    said, others = answers.said & own, ~own
    return {
        "version": version.name,
        "classifier": name,
        "photos": int(own.sum()),
        "classes": len(set(truth[own].tolist())),
        "top1": float(right[own].mean()),
        "top1_mean_of_classes": _mean_of_classes(right[own], truth[own]),
        "said": float(answers.said[own].mean()),
        "right_when_said": float(right[said].mean()) if said.any() else 0.0,
        "others": int(others.sum()),
        "others_tagged": float(answers.said[others].mean()) if others.any() else 0.0,
    }


def _find(name: str) -> tuple[Version, str]:
    """The active version, else the newest one on this machine that has the classifier."""
    part = CLASSIFIER + name
    manifests = models_folder().glob("[!.]*/manifest.json")
    newest = sorted(manifests, key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in (folder_to_measure(), *(path.parent for path in newest)):
        version = open_version(folder)
        if part in version.parts:
            return version, part
    raise NotFound(f"No version on this machine has a classifier {name}.")


def _look(folder: Path, found: Classifier, backbone: Backbone) -> tuple[np.ndarray, np.ndarray]:
    """The number of each photo's class (-1 for a foreign one), and descriptions."""
    place = {label: number for number, label in enumerate(found.labels)}
    members = label_members(open_folder(folder)).members
    truth: list[int] = []
    described: list[np.ndarray] = []
    for start in range(0, len(members), BATCH):
        batch = members[start : start + BATCH]
        paths = [folder / member.name for _, member in batch]
        seen = decoders().render_many(paths, network_size=backbone.input_size, thumbnails={})
        read = [
            (place.get(label, -1), each.pixels)
            for (label, _), each in zip(batch, seen, strict=True)
            if isinstance(each, Rendering)
        ]
        images: list[Image] = [pixels for _, pixels in read if pixels is not None]
        truth += [label for label, _ in read]
        described.append(look_at_images(images, backbone, found.describe))
    return np.array(truth), np.concatenate(described)


def _mean_of_classes(right: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean([right[truth == label].mean() for label in np.unique(truth)]))
