"""`train distill`: everything that a distillation needs, put together from a data folder."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from vision.backbones import BACKBONES
from vision.backbones.inception import UNIT
from vision.collection import Collection, read_tar
from vision.pixels import squash_batch
from vision.training.distillation.distill import Distillation, DistillationRun
from vision.training.distillation.distilled import FOLDER, STUDENT
from vision.training.distillation.lessons import KeptAnswers, Photos
from vision.training.distillation.nsfwjs import fetch, load_nsfwjs, renew
from vision.training.distillation.photos import (
    KEPT_SIZE,
    open_photos,
    read_names,
    training_archives,
)
from vision.training.distillation.student import Student
from vision.training.distillation.trunk import Trunk, keep_maps
from vision.training.features import VIEWS, FeatureCache
from vision.training.steps import Progress, silent
from vision.versions import Version

HELD_OUT_EVERY = 7  # of the development photos: enough to see a curve, cheap to judge by


def distil(
    data: Path,
    work: Path,
    config: Distillation,
    *,
    teacher: Version,
    features: Path | None = None,
    device: str | None = None,
    progress: Progress = silent,
) -> Path:
    """Teach Inception-v3 what the version's backbone sees; the student's file in `work`.

    `features` is the folder of a FeatureCache: what it has of that backbone is not asked for.
    None for `device` takes a GPU if torch sees one. Raises VisionError.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    folder, spec = work / FOLDER, teacher.part("backbone")
    archives = training_archives(data)
    photos = open_photos(archives, folder / "photos.npy")
    network = load_nsfwjs(fetch(work / "nsfwjs"))
    torch.manual_seed(config.seed)
    renew(network)
    kept = kept_answers(archives, _root(features, teacher)) if features else None
    rows = kept.rows() if kept else np.arange(len(photos))
    first_to_learn = config.learn_from[0][1]
    trunk = Trunk(network, UNIT, first_to_learn)
    run = DistillationRun(
        Student(network, UNIT),
        teacher=BACKBONES[spec["name"]](teacher, spec, device),
        photos=photos,
        held_out=held_out_photos(data, folder / "held_out.npy"),
        config=config,
        work=folder,
        kept=kept,
        maps=keep_maps(trunk, photos, rows, size=config.maps_size, to=folder / "maps"),
        device=device,
    )
    run.run(progress=progress)
    return work / STUDENT


def _root(features: Path, version: Version) -> Path:
    spec = version.part("backbone")
    return FeatureCache(features, version.path(spec["onnx"]), int(spec["input_size"])).root


def held_out_photos(data: Path, to: Path) -> Photos:
    """Some development photos of each captioned collection; kept in `to`."""
    if not to.exists():
        found = [
            image
            for archive in _development_archives(data)
            for _, image in islice(read_tar(archive), 0, None, HELD_OUT_EVERY)
        ]
        to.parent.mkdir(parents=True, exist_ok=True)
        np.save(to, squash_batch(found, KEPT_SIZE))
    return np.load(to)


def kept_answers(archives: Sequence[Path], features: Path) -> KeptAnswers | None:
    """Answers for the collections that `features` (a FeatureCache's root) knows in both views.

    `archives` are those of the photos, whose rows are counted in their order. None without any.
    """
    known = [_known(path, features) for path in archives]
    if not any(known):
        return None
    first, last = known.index(True), len(known) - known[::-1].index(True)
    if not all(known[first:last]):
        return None  # rows must follow one another
    stems = [features / path.parent.name / path.stem for path in archives[first:last]]
    before = sum(1 for path in archives[:first] for _ in read_names(path))
    return KeptAnswers(stems, first=before)


def _known(archive: Path, features: Path) -> bool:
    folder = features / archive.parent.name
    return all((folder / f"{archive.stem}.{view}.names.npy").exists() for view in VIEWS)


def _development_archives(data: Path) -> list[Path]:
    folders = sorted(path.parent for path in data.glob("*/dev.tar"))
    return [archive for folder in folders for archive in Collection(folder).archives("dev")]
