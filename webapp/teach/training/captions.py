"""Train the caption decoder on captions that people wrote."""

from functools import partial
from typing import TYPE_CHECKING

from vision.training.owned.captions import CaptionLessons, CaptionRetraining, teach_captions
from vision.training.publish import Draft
from webapp.teach.models import Correction
from webapp.teach.training.library import (
    Bench,
    Snapshot,
    captions_written,
    corrections_of,
    snapshot_of,
    some_others,
    split,
    work_folder,
)
from webapp.teach.versions.folders import models_folder

if TYPE_CHECKING:
    from webapp.teach.runs.models import TrainingRun
    from webapp.teach.runs.telling import Teller


def train(run: "TrainingRun", tell: "Teller") -> str:
    """The name of a version whose captions learned from those that people wrote."""
    if (models_folder() / run.version_name).exists():
        return run.version_name
    bench = Bench.of(run, tell)
    snapshot = snapshot_of(run, partial(_gather, run, bench))
    here = bench.look([*snapshot["learned"], *snapshot["judged"], *snapshot["others"]])
    lessons = CaptionLessons(
        written=_written(snapshot["learned"], here),
        judged_by=_written(snapshot["judged"], here),
        others=[sha for sha in snapshot["others"] if sha in here],
    )
    draft = Draft.start(run.version_name, work_folder(run) / "draft", base=bench.base)
    config = CaptionRetraining(
        steps=run.parameters["steps"], rehearsal=run.parameters["rehearsal"], seed=run.seed
    )
    figures = teach_captions(
        bench.base,
        bench.eye,
        bench.features,
        lessons,
        draft,
        config,
        work=work_folder(run),
        progress=tell.training("Teaching captions"),
    )
    return bench.publish(draft, figures)


def _gather(run: "TrainingRun", bench: Bench) -> Snapshot:
    captions = captions_written()
    learned, judged = split(captions)
    used = {*learned, *judged}
    return {
        "kind": run.kind,
        "base": bench.base.name,
        "learned": {sha: captions[sha] for sha in learned},
        "judged": {sha: captions[sha] for sha in judged},
        "others": some_others(captions, int(run.parameters["others"])),
        "corrections": corrections_of(used, [Correction.Kind.CAPTION], up_to=run.last_correction),
    }


def _written(photos: dict[str, list[str]], here: set[str]) -> list[tuple[str, str]]:
    return [(sha, text) for sha, own in sorted(photos.items()) if sha in here for text in own]
