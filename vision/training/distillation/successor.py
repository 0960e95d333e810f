"""A version with another eye and the same heads: the student speaks as its teacher does.

Every head of the teacher's version goes on as it is (its files are borrowed), so the new version
costs the repository its backbone and nothing else, and takes over whatever heads are trained next.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from vision.backbones.inception_views import InceptionViews, SpeakerConfig
from vision.training.backbone import calibration_photos, export_backbone
from vision.training.distillation.distill import LOG, Distillation
from vision.training.distillation.distilled import FOLDER, STUDENT, distilled_inception
from vision.training.distillation.photos import training_archives
from vision.training.distillation.plot import read_log
from vision.training.distillation.speaking import fit_speaker, what_both_see
from vision.training.features import FeatureCache
from vision.training.networks import NETWORKS
from vision.training.publish import Draft, current_commit, data_fingerprint
from vision.training.run import measure
from vision.training.workshop import Workshop, make_backbone
from vision.versions import Version

logger = logging.getLogger(__name__)

NETWORK = "inception-v3"
FINAL = "backbone.int8.onnx"

CARD = """\
# {name}

The heads of `{base}` behind another backbone; what they are and cannot do is on its card.

- **Backbone** Inception-v3 (Szegedy et al. 2016), {size} px, photos squashed to a square, BatchNorm
  folded, int8 (static QDQ, per channel). It begins with the weights of npm's `nsfwjs` 4.4.0 (MIT)
  and was distilled from the backbone of `{base}`: {steps} steps of {batch} photos, seed {seed}.
  Labels and captions were not used.
- **Speaker** a linear map through {rank} numbers to what the teacher says, fitted in closed form.

Photos were used for research only and are not part of this version. Fingerprint of the archives
that the student learned from: `{fingerprint}`. Code: commit `{commit}`.

## Measured

`metrics.json` has what the product's code measures on development photos. On held-out photos,
against its teacher, the student reached {judged}; the speaker {figures}.
"""


@dataclass(frozen=True, slots=True)
class Succession:
    """How the speaker is fitted: on photos of the archives whose names begin with `split`."""

    split: str = "train-0"
    speaker: SpeakerConfig = field(default_factory=SpeakerConfig)


def succeed(
    shop: Workshop, base: Version, name: str, *, features: Path, config: Succession
) -> tuple[Draft, dict[str, Any]]:
    """A draft of `base` that sees with the shop's student, and the speaker's figures.

    `features` is the folder of a FeatureCache: the teacher's are read there, or made.
    """
    _forget_older_export(shop)
    make_backbone(shop)  # with features of its own, to fit the speaker on
    spec, collections = base.part("backbone"), shop.all_collections()
    student = replace(shop.features, folder=features)
    teacher = FeatureCache(features, base.path(spec["onnx"]), int(spec["input_size"]))
    for cache in (student, teacher):
        for each in collections:
            cache.extract(each, config.split, ("plain",))
    seen = what_both_see(collections, config.split, student=student, teacher=teacher)
    speaker, figures = fit_speaker(seen, config.speaker)
    logger.info("fitted speaker %s", " ".join(f"{k}={v}" for k, v in figures.items()))
    own = distilled_inception(shop.work)
    own.network.fc = nn.Identity()  # the speaker names the classes
    views = InceptionViews(own.network, own.scaling, own.grid, speaker)
    draft = Draft.start(name, shop.work / "successor", base=base)
    photos = calibration_photos(collections, size=shop.recipe.input_size)
    draft.parts["backbone"] = export_student(views, photos, config.speaker, to=draft.folder / FINAL)
    return draft, figures


def publish_successor(
    shop: Workshop,
    base: Version,
    name: str,
    to: Path,
    *,
    features: Path,
    distillation: Distillation,
    config: Succession,
) -> Path:
    """The folder of a version made of the shop's student and the heads of `base`, measured."""
    draft, figures = succeed(shop, base, name, features=features, config=config)
    judged = dict(read_log(shop.work / FOLDER / LOG)[-1])
    metrics = measure(draft, shop) | {"successor": {"speaker": figures, "distillation": judged}}
    text = CARD.format(
        name=name,
        base=base.name,
        size=shop.recipe.input_size,
        rank=config.speaker.rank,
        steps=judged["step"],
        batch=distillation.batch,
        seed=distillation.seed,
        commit=current_commit(),
        fingerprint=data_fingerprint(training_archives(shop.data)),
        judged=json.dumps(judged),
        figures=json.dumps(figures),
    )
    return draft.publish(to, metrics=metrics, card=text)


def _forget_older_export(shop: Workshop) -> None:
    """A student that went on learning is exported anew."""
    files = (shop.backbone, shop.work / STUDENT)
    if all(file.exists() for file in files):
        exported, student = (file.stat().st_mtime for file in files)
        if exported < student:
            shop.backbone.unlink()


def export_student(
    views: InceptionViews,
    photos: Sequence[NDArray[np.uint8]],
    speaker: SpeakerConfig,
    *,
    to: Path,
) -> dict[str, Any]:
    """Write a student that speaks as int8, calibrated on these photos; its specification."""
    recipe = NETWORKS[NETWORK]()
    export_backbone(
        views.eval(),
        size=recipe.input_size,
        photos=photos,
        to=to,
        operators=recipe.operators,
        compact=("speaker.down.weight", "speaker.up.weight"),
    )
    spec = {key: value for key, value in recipe.spec.items() if key != "rank"}
    files = {"onnx": to.name, "input_size": recipe.input_size}
    return {"name": NETWORK, **files, **spec, "speaker": asdict(speaker)}
