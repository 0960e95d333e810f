"""Train the tag head on what people said of tags."""

from functools import partial
from typing import TYPE_CHECKING

from vision.heads.word_tags import WordTagger
from vision.training.owned.tag_head import TagLessons, teach_tags
from vision.training.owned.tag_lessons import Spoken
from vision.training.owned.tags import TagRetraining
from vision.training.publish import Draft
from webapp.teach.models import Correction
from webapp.teach.training.library import (
    Bench,
    SeenWords,
    Snapshot,
    corrections_of,
    shared_words,
    snapshot_of,
    some_others,
    split,
    spoken_tags,
    work_folder,
)
from webapp.teach.versions.folders import models_folder

if TYPE_CHECKING:
    from webapp.teach.runs.models import TrainingRun
    from webapp.teach.runs.telling import Teller


def train(run: "TrainingRun", tell: "Teller") -> str:
    """The name of a version whose tag head learned from all corrections of tags so far."""
    if (models_folder() / run.version_name).exists():
        return run.version_name  # published by an attempt whose end was lost
    bench = Bench.of(run, tell)
    snapshot = snapshot_of(run, partial(_gather, run, bench))
    here = bench.look([*snapshot["learned"], *snapshot["judged"], *snapshot["others"]])
    lessons = TagLessons(
        spoken=_spoken(snapshot["learned"], here),
        judged_by=_spoken(snapshot["judged"], here),
        others=[sha for sha in snapshot["others"] if sha in here],
    )
    draft = Draft.start(run.version_name, work_folder(run) / "draft", base=bench.base)
    figures = teach_tags(
        bench.base,
        bench.eye,
        bench.features,
        lessons,
        draft,
        _config(run),
        work=work_folder(run),
        progress=tell.training("Teaching tags"),
    )
    return bench.publish(draft, figures)


def _gather(run: "TrainingRun", bench: Bench) -> Snapshot:
    tagger = bench.eye.tag
    known = tagger.rules.words if isinstance(tagger, WordTagger) else ()
    said = _shared(spoken_tags(), shared_words(known))
    learned, judged = split(said)
    used = [*learned, *judged]
    return {
        "kind": run.kind,
        "base": bench.base.name,
        "learned": {sha: said[sha] for sha in learned},
        "judged": {sha: said[sha] for sha in judged},
        "others": some_others(said, int(run.parameters["others"])),
        "corrections": corrections_of(used, Correction.TAGS, up_to=run.last_correction),
    }


def _shared(said: SeenWords, allowed: set[str] | None) -> SeenWords:
    """What people said, without the words that only one of them uses; see `shared_words`."""
    if allowed is None:
        return said
    kept = {sha: {w: y for w, y in own.items() if w in allowed} for sha, own in said.items()}
    return {sha: own for sha, own in kept.items() if own}


def _spoken(photos: SeenWords, here: set[str]) -> list[Spoken]:
    return [Spoken(sha, words) for sha, words in sorted(photos.items()) if sha in here and words]


def _config(run: "TrainingRun") -> TagRetraining:
    chosen = run.parameters
    config = partial(TagRetraining, steps=chosen["steps"], fewest=chosen["fewest"])
    return config(hold=chosen["hold"], seed=run.seed)
