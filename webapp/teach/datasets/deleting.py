"""Deleting data sets: put away first, as photos are in the trash, and gone for good after as long.

What was trained on one works on without it; only its trainings cannot be done again.
"""

import shutil
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from webapp.errors import Conflict
from webapp.teach.datasets.models import DataSet
from webapp.teach.runs.models import TrainingRun
from webapp.teach.runs.snapshots import training_folder


@transaction.atomic
def delete(data_set: DataSet) -> None:
    """Put it away; `restore` brings it back. Raises `Conflict` while somebody needs it."""
    row = _locked(data_set)
    if row.is_waiting:
        raise Conflict(f"{row.title} is still being read. Delete it when it is here.")
    if run := _training_on(row):
        raise Conflict(
            f"Training {run.pk} learns from {row.title}. Cancel the training, or wait for its end; "
            "nothing was deleted."
        )
    DataSet.objects.filter(pk=row.pk).update(deleted_at=row.deleted_at or timezone.now())


def restore(data_set: DataSet) -> None:
    """Bring it back. Raises `Conflict` once it is gone for good."""
    if not DataSet.objects.filter(pk=data_set.pk).update(deleted_at=None):
        raise Conflict(f"{data_set.title} is gone for good. Bring the photos again.")


def purge() -> int:
    """Delete for good what was put away for as long as photos stay in the trash. Returns how
    many."""
    limit = timezone.now() - timedelta(days=settings.MAREA_TRASH_DAYS)
    old = DataSet.objects.filter(deleted_at__lt=limit).order_by("pk")
    return sum(_purge(each) for each in old)


def _purge(data_set: DataSet) -> bool:
    with transaction.atomic():
        row = _locked(data_set)
        if row.deleted_at is None or _training_on(row):
            return False
        row.delete()
    if row.digest and not DataSet.objects.filter(digest=row.digest).exists():
        shutil.rmtree(training_folder() / "features" / row.digest, ignore_errors=True)
        shutil.rmtree(row.folder, ignore_errors=True)
    return True


def _locked(data_set: DataSet) -> DataSet:
    """Its row; until the transaction ends, nobody asks for a training on it (`asking`)."""
    rows = DataSet.objects.select_related("job").select_for_update(of=("self",), no_key=True)
    return rows.get(pk=data_set.pk)


def _training_on(data_set: DataSet) -> TrainingRun | None:
    runs = TrainingRun.objects.unfinished()
    return runs.filter(kind="problem", parameters__data_set=data_set.pk).first()
