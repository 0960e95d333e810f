"""Train the caption decoder on captions that people wrote."""

from typing import TYPE_CHECKING

from vision.errors import TrainingError
from vision.training.owned.captions import CaptionLessons, CaptionRetraining, teach_captions
from webapp.teach.models import Correction
from webapp.teach.training.library import (
    Bench,
    Snapshot,
    captions_written,
    corrections_of,
    some_others,
    split,
    usable_photos,
    work_folder,
)
from webapp.teach.training.retraining import Lesson, retrain

if TYPE_CHECKING:
    from webapp.teach.runs.models import TrainingRun
    from webapp.teach.runs.telling import Teller


def train(run: "TrainingRun", tell: "Teller") -> str:
    """The name of a version whose captions learned from those that people wrote."""
    return retrain(run, tell, gather, _teach)


def gather(run: "TrainingRun") -> Snapshot:
    """Captions as they are."""
    captions = captions_written(_writers(run))
    learned, judged = split(captions)
    used = {*learned, *judged}
    return {
        "learned": {sha: captions[sha] for sha in learned},
        "judged": {sha: captions[sha] for sha in judged},
        "others": some_others(captions, int(run.parameters["others"])),
        "corrections": corrections_of(used, [Correction.Kind.CAPTION], up_to=run.last_correction),
    }


def _teach(bench: Bench, lesson: Lesson) -> dict[str, float]:
    run, snapshot, here = bench.run, lesson.snapshot, lesson.here
    lessons = CaptionLessons(
        written=_written(snapshot["learned"], here),
        judged_by=_written(snapshot["judged"], here),
        others=lesson.others,
    )
    config = CaptionRetraining(
        steps=run.parameters["steps"], rehearsal=run.parameters["rehearsal"], seed=run.seed
    )
    return teach_captions(
        bench.base,
        bench.eye,
        bench.features,
        lessons,
        lesson.draft,
        config,
        work=work_folder(run),
        progress=bench.tell.training("Teaching captions"),
    )


def _writers(run: "TrainingRun") -> set[int]:
    """Whose captions it learns from. A decoder that saw few may repeat one word for word, on photos
    of anybody: so from those of who asked, unless they say that everybody agreed."""
    everybody = set(usable_photos().exclude(own_caption="").values_list("owner", flat=True))
    if run.parameters.get("everybody") or (run.user is None and len(everybody) < 2):
        return everybody
    if run.user is None:
        raise TrainingError(
            f"{len(everybody)} people wrote captions, and a version may repeat them on photos of "
            "anybody. Ask them, then say --set everybody=1; or ask for the training on the page "
            "Train, where it learns from your own."
        )
    return {run.user.pk}


def _written(photos: dict[str, list[str]], here: set[str]) -> list[tuple[str, str]]:
    return [(sha, text) for sha, own in sorted(photos.items()) if sha in here for text in own]
