"""Train the tag head on what people said of tags."""

from functools import partial
from typing import TYPE_CHECKING

from vision.training.owned.tag_head import TagLessons, teach_tags
from vision.training.owned.tag_lessons import Spoken
from vision.training.owned.tags import TagRetraining
from webapp.teach.models import Correction
from webapp.teach.training.library import (
    Bench,
    SeenWords,
    Snapshot,
    corrections_of,
    some_others,
    split,
    spoken_tags,
    work_folder,
)
from webapp.teach.training.retraining import Lesson, retrain

if TYPE_CHECKING:
    from webapp.teach.runs.models import TrainingRun
    from webapp.teach.runs.telling import Teller


def train(run: "TrainingRun", tell: "Teller") -> str:
    """The name of a version whose tag head learned from all corrections of tags so far."""
    return retrain(run, tell, gather, _teach)


def gather(run: "TrainingRun") -> Snapshot:
    """What people said of tags."""
    said = spoken_tags()
    learned, judged = split(said)
    used = [*learned, *judged]
    return {
        "learned": {sha: said[sha] for sha in learned},
        "judged": {sha: said[sha] for sha in judged},
        "others": some_others(said, int(run.parameters["others"])),
        "corrections": corrections_of(used, Correction.TAGS, up_to=run.last_correction),
    }


def _teach(bench: Bench, lesson: Lesson) -> dict[str, float]:
    run, snapshot, here = bench.run, lesson.snapshot, lesson.here
    lessons = TagLessons(
        spoken=_spoken(snapshot["learned"], here),
        judged_by=_spoken(snapshot["judged"], here),
        others=lesson.others,
    )
    return teach_tags(
        bench.base,
        bench.eye,
        bench.features,
        lessons,
        lesson.draft,
        _config(run),
        work=work_folder(run),
        progress=bench.tell.training("Teaching tags"),
    )


def _spoken(photos: SeenWords, here: set[str]) -> list[Spoken]:
    return [Spoken(sha, words) for sha, words in sorted(photos.items()) if sha in here and words]


def _config(run: "TrainingRun") -> TagRetraining:
    chosen = run.parameters
    config = partial(TagRetraining, steps=chosen["steps"], fewest=chosen["fewest"])
    return config(hold=chosen["hold"], seed=run.seed)
