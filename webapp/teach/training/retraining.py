"""How every head is taught: what people said is kept, the photos are looked at, a draft is made of
the version at work, one part of it learns, and it is published."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vision.training.publish import Draft
from webapp.teach.training.library import Bench, Snapshot, snapshot_of, work_folder
from webapp.teach.versions.folders import models_folder

if TYPE_CHECKING:
    from webapp.teach.runs.models import TrainingRun
    from webapp.teach.runs.telling import Teller


@dataclass(frozen=True, slots=True)
class Lesson:
    """What there is to learn, which of its photos could be read, and the draft to put it into."""

    snapshot: Snapshot
    here: set[str]
    draft: Draft

    @property
    def others(self) -> list[str]:
        return [sha for sha in self.snapshot["others"] if sha in self.here]


def retrain(
    run: "TrainingRun",
    tell: "Teller",
    gather: Callable[["TrainingRun"], Snapshot],
    teach: Callable[[Bench, Lesson], Mapping[str, float]],
) -> str:
    """The name of the version that came of it. `gather` says what is to be learned, and is asked in
    the first attempt only; `teach` gives figures of how it was learned."""
    if (models_folder() / run.version_name).exists():
        return run.version_name  # published by an attempt whose end was lost
    bench = Bench.of(run, tell)
    about = {"kind": run.kind, "base": bench.base.name}
    snapshot = snapshot_of(run, lambda: about | gather(run))
    here = bench.look([*snapshot["learned"], *snapshot["judged"], *snapshot["others"]])
    draft = Draft.start(run.version_name, work_folder(run) / "draft", base=bench.base)
    return bench.publish(draft, teach(bench, Lesson(snapshot, here, draft)))
