"""Is what models were trained on still there?"""

from collections.abc import Iterator

from webapp.library.services.doctor.findings import Finding, count, problem, some
from webapp.teach.datasets.models import DataSet
from webapp.teach.runs.models import TrainingRun
from webapp.teach.runs.snapshots import snapshot_path

ADVICE = "Bring them back from a backup: manage.py restore DIR. What was trained on them works on."


def data_sets() -> Iterator[Finding]:
    """The photos of each data set that was read."""
    ready = DataSet.objects.filter(state=DataSet.State.READY, deleted_at=None).order_by("pk")
    gone = [each.pk for each in ready if not (each.folder / "manifest.json").is_file()]
    if gone:
        yield problem("data sets", f"{count(len(gone), 'data set')} lost ({some(gone)}).", ADVICE)


def snapshots() -> Iterator[Finding]:
    """What each training on the library learned from."""
    runs = TrainingRun.objects.exclude(snapshot="").exclude(kind="problem").order_by("pk")
    gone = [run.pk for run in runs if not snapshot_path(run.snapshot).is_file()]
    if gone:
        said = f"What {count(len(gone), 'training')} learned from is lost (run {some(gone)})."
        yield problem("snapshots", said, ADVICE)
