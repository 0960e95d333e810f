"""Teach Inception-v3 what the backbone at work sees of the library, and put it under its heads."""

import shutil
from functools import partial
from typing import TYPE_CHECKING

from vision.errors import TrainingError
from vision.training.owned.student import StudentLessons, teach_student
from vision.training.publish import Draft
from webapp.teach.training.library import (
    Bench,
    Snapshot,
    snapshot_of,
    some_others,
    split,
    work_folder,
)
from webapp.teach.versions.folders import models_folder

if TYPE_CHECKING:
    from webapp.teach.runs.models import TrainingRun
    from webapp.teach.runs.telling import Teller

CARD = (
    "The backbone is Inception-v3 (int8), distilled from that of `{base}` without labels or "
    "captions. It began with the weights of `inception-2026.11`, which go back to npm’s `nsfwjs` "
    "4.4.0 (MIT)."
)


def train(run: "TrainingRun", tell: "Teller") -> str:
    """The name of a version that sees with a student of the backbone at work."""
    if (models_folder() / run.version_name).exists():
        return run.version_name  # published by an attempt whose end was lost
    bench = Bench.of(run, tell)
    snapshot = snapshot_of(run, partial(_gather, run, bench))
    learned, judged, work = list(snapshot["learned"]), list(snapshot["judged"]), work_folder(run)
    draft = Draft.start(run.version_name, work / "draft", base=bench.base)
    figures = teach_student(
        bench.base,
        StudentLessons(learned, judged, bench.load([*learned, *judged])),
        draft,
        steps=run.parameters["steps"],
        batch=run.parameters["batch"],
        seed=run.seed,
        work=work,
        told=partial(tell.step, "Decoding photos"),
        progress=tell.training("Teaching the backbone"),
    )
    name = bench.publish(draft, figures, remark=CARD.format(base=bench.base.name))
    shutil.rmtree(work)  # the checkpoint is large, and has served its time
    return name


def _gather(run: "TrainingRun", bench: Bench) -> Snapshot:
    learned, judged = split(some_others((), int(run.parameters["others"])))
    fewest = int(run.parameters["fewest"])
    if len(learned) < fewest or not judged:
        raise TrainingError(
            f"There are {len(learned):,} photos to learn from and {len(judged):,} to judge by; "
            f"a backbone takes at least {fewest:,} and 1. Add photos first, and mind that a fifth "
            "of all photos is never learned from."
        )
    return {
        "kind": run.kind,
        "base": bench.base.name,
        "learned": dict.fromkeys(learned, ""),
        "judged": dict.fromkeys(judged, ""),
        "others": [],
        "corrections": [],
    }
