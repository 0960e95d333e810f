"""Teach Inception-v3 what the backbone at work sees in the owner's photos, for the same heads.

The student begins as Inception ships. It learns as in `vision.training.distillation.distill`; then
a speaker is fitted, so that every head goes on as it is (`vision.training.distillation.speaking`).
Copies of the photos, small and decoded, lie in the work folder while this runs, and no longer.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from vision.backbones import BACKBONES
from vision.backbones.base import Backbone
from vision.backbones.inception import UNIT
from vision.backbones.inception_views import GridConfig, InceptionViews, SpeakerConfig
from vision.backbones.onnx import OnnxBackbone
from vision.backbones.torch_backbone import TorchBackbone
from vision.errors import TrainingError
from vision.pixels import squash
from vision.training.distillation.beginning import beginning
from vision.training.distillation.distill import Distillation, DistillationRun, agreement
from vision.training.distillation.distilled import FOLDER, distilled_inception
from vision.training.distillation.lessons import KeptMaps, Photos, resized
from vision.training.distillation.photos import KEPT_SIZE
from vision.training.distillation.speaking import PARTS, Rows, Seen, fit_speaker
from vision.training.distillation.student import Student
from vision.training.distillation.successor import FINAL, export_student
from vision.training.distillation.trunk import Trunk, keep_maps
from vision.training.networks import INCEPTION_SIZE
from vision.training.owned.features import Load, Told
from vision.training.publish import Draft
from vision.training.steps import Progress
from vision.versions import Version

PORTION = 32
BEGIN_WITH = 2048  # photos, if there are so many: to fit layers in closed form
MEASURE_ON = 256  # photos: what BatchNorm begins with
CALIBRATE_ON = 64
JUDGE_ON = 200
JUDGED_TIMES = 12  # in the course of a training, each with a checkpoint


@dataclass(frozen=True, slots=True)
class StudentLessons:
    """Photos by their hashes, to learn from and to judge by."""

    learned: Sequence[str]
    judged: Sequence[str]
    load: Load


def plan(*, steps: int, batch: int, seed: int, photos: int) -> Distillation:
    """A distillation that goes on from a student which has learned already.

    Its stages learn at a twentieth of the rate of new ones. After 60 steps on 500 photos of
    Flickr8k, agreement on 100 others was 0.458, as after 2 steps, but 0.430 at a rate of 3e-4.
    """
    every = max(1, steps // JUDGED_TIMES)
    return Distillation(
        steps=steps,
        batch=batch,
        begin_with=min(BEGIN_WITH, photos),
        stages_rate=5e-5,
        warmup=max(1, min(100, steps // 5)),
        seed=seed,
        bfloat16=_is_bfloat16_fast(),
        save_every=every,
        judge_every=every,
    )


def teach_student(
    base: Version,
    lessons: StudentLessons,
    draft: Draft,
    *,
    steps: int,
    batch: int,
    seed: int,
    work: Path,
    told: Told,
    progress: Progress,
) -> dict[str, float]:
    """Put a student into the draft of `base`; how far it agrees with its teacher.

    It goes on from the checkpoint in `work`. Raises VisionError.
    """
    copies = work / "photos"
    try:
        photos = keep_photos(lessons.learned, lessons.load, copies / "learned", told=told)
        judged = keep_photos(lessons.judged[:JUDGE_ON], lessons.load, copies / "judged", told=told)
        config = plan(steps=steps, batch=batch, seed=seed, photos=len(photos))
        teacher = _teacher(base, judged)
        run = _distillation(teacher, photos, judged, config, work)
        run.run(progress=progress)
        speaker = SpeakerConfig(rank=min(SpeakerConfig().rank, len(photos) // 2))
        views = speaking(teacher, photos, speaker, work=work, device=run.device)
        path = draft.folder / FINAL
        draft.parts["backbone"] = export_student(
            views, [*resized(spread(photos, CALIBRATE_ON), INCEPTION_SIZE)], speaker, to=path
        )
        return _figures(run, path, judged)
    finally:
        shutil.rmtree(copies, ignore_errors=True)


def keep_photos(photos: Sequence[str], load: Load, to: Path, *, told: Told) -> Photos:
    """Those that can be read, squashed and memory-mapped: (n, KEPT_SIZE, KEPT_SIZE, 3).

    Decoded into the file `to` unless it was done. Raises TrainingError when none can be read.
    """
    if not to.exists():
        to.parent.mkdir(parents=True, exist_ok=True)
        partial = to.with_suffix(".partial")
        with partial.open("wb") as file:
            for start in range(0, len(photos), PORTION):
                told(start, len(photos))
                for image in load(photos[start : start + PORTION]):
                    if image is not None:
                        file.write(squash(image, KEPT_SIZE).tobytes())
        partial.rename(to)
    if not to.stat().st_size:
        raise TrainingError("None of the photos can be read, so there is nothing to learn from.")
    return np.memmap(to, np.uint8, mode="r").reshape(-1, KEPT_SIZE, KEPT_SIZE, 3)


def spread(photos: Photos, most: int) -> Photos:
    """As many as `most`, evenly spread."""
    return photos[np.linspace(0, len(photos) - 1, min(most, len(photos))).astype(int)]


def speaking(
    teacher: Backbone, photos: Photos, config: SpeakerConfig, *, work: Path, device: str
) -> InceptionViews:
    """The student in `work`, with a speaker fitted on these photos."""
    views = distilled_inception(work)
    views.network.fc = nn.Identity()  # the speaker names the classes
    student = TorchBackbone(views, input_size=INCEPTION_SIZE, device=device)
    chosen = spread(photos, BEGIN_WITH)
    portions = [chosen[start : start + PORTION] for start in range(0, len(chosen), PORTION)]
    mine = np.concatenate([_said(student, each, ("pooled", "stride16")) for each in portions])
    theirs = np.concatenate([_said(teacher, each, PARTS) for each in portions])
    mean, deviation = theirs.mean(axis=0), theirs.std(axis=0) + 1e-3
    seen = Seen(mine, (theirs - mean) / deviation, mean, deviation)
    speaker, _ = fit_speaker(seen, config)
    return InceptionViews(views.network.cpu(), views.scaling, views.grid, speaker).cpu().eval()


def _said(backbone: Backbone, photos: Photos, parts: Sequence[str]) -> Rows:
    features = backbone(resized(photos, backbone.input_size))
    return np.concatenate([getattr(features, part) for part in parts], axis=1).astype(np.float32)


def _teacher(base: Version, photos: Photos) -> Backbone:
    """The backbone of a version. Raises TrainingError when it says other things than a student of
    ours learns to say."""
    spec = base.part("backbone")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    teacher = BACKBONES[spec["name"]](base, spec, device)
    seen, grid = teacher(resized(photos[:1], teacher.input_size)), GridConfig()
    widths = tuple(getattr(seen, part).shape[-1] for part in PARTS)
    if widths != SpeakerConfig().widths or seen.grid.shape[1:] != (
        grid.cells,
        grid.cells,
        grid.outputs,
    ):
        raise TrainingError(
            f"Inception-v3 learns from backbones like EfficientNet-Lite2; that of {base.name} is "
            "another. Put a version with such a backbone to work first: the one that ships."
        )
    return teacher


def _distillation(
    teacher: Backbone, photos: Photos, judged: Photos, config: Distillation, work: Path
) -> DistillationRun:
    measured = resized(spread(photos, MEASURE_ON), config.maps_size)
    network = beginning(torch.from_numpy(measured).split(PORTION), work, seed=config.seed)
    trunk = Trunk(network, UNIT, config.learn_from[0][1])
    return DistillationRun(
        Student(network, UNIT),
        teacher=teacher,
        photos=photos,
        held_out=judged,
        config=config,
        work=work / FOLDER,
        maps=_maps(trunk, photos, config, work / "photos" / "maps"),
        device="cuda" if torch.cuda.is_available() else "cpu",
    )


def _maps(trunk: Trunk, photos: Photos, config: Distillation, to: Path) -> KeptMaps | None:
    """What the frozen stages see, which is worth keeping where photos are seen several times."""
    if config.steps * config.batch < 2 * len(photos):
        return None
    return keep_maps(trunk, photos, np.arange(len(photos)), size=config.maps_size, to=to)


def _figures(run: DistillationRun, path: Path, judged: Photos) -> dict[str, float]:
    """How far the exported file agrees with the teacher on photos that were not learned from."""
    said = OnnxBackbone(path, input_size=INCEPTION_SIZE)(resized(judged, INCEPTION_SIZE))
    figures = agreement(run.standard(said), run.standard(run.wanted))
    return {
        "agreement with the teacher": figures["cosine"],
        "its first class among five": figures["top5"],
        "photos judged by": float(len(judged)),
    }


def _is_bfloat16_fast() -> bool:
    """Whether this machine computes in bfloat16, or only pretends to."""
    if torch.cuda.is_available():
        return True
    known = torch.backends.mkldnn.is_available()
    return known and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
