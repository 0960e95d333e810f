"""Asking for a data set to be read, and for a classifier to be trained on one."""

import shutil
from pathlib import Path
from typing import Any

from django.db import transaction

from webapp.accounts.models import User
from webapp.errors import Refused, UserError
from webapp.library.file_names import tidy_file_name
from webapp.teach import jobs
from webapp.teach.datasets.folders import allowed_folder
from webapp.teach.datasets.models import DataSet
from webapp.teach.datasets.registering import keep_data_set, read_source, tidy_title
from webapp.teach.datasets.taking import Progress
from webapp.teach.job_models import ModelJob
from webapp.teach.runs import lifecycle
from webapp.teach.runs.models import TrainingRun
from webapp.texts import one_line

# The first is what most people want: the better of the next two on photos kept aside. The last
# trains what the backbone does above its feature grid as well.
HEADS = ("auto", "linear", "deep", "blocks")
PROBLEM = "problem"


@transaction.atomic
def ask_to_read_zip(user: User, title: str, file_name: str, file: Path) -> DataSet:
    """Take an uploaded ZIP, and keep it until a worker has read it. Raises `Refused` for a title
    that cannot be used."""
    data_set = DataSet.objects.create(
        title=tidy_title(title), source=tidy_file_name(file_name), user=user
    )
    data_set.incoming.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(file, data_set.incoming)  # perhaps to another disk
    return _asked(data_set)


@transaction.atomic
def ask_to_read_folder(user: User, title: str, folder: str) -> DataSet:
    """Raises `Refused` unless the folder lies below an allowed one."""
    place = allowed_folder(folder)
    data_set = DataSet.objects.create(
        title=tidy_title(title), source=one_line(str(place))[:500], place=str(place), user=user
    )
    return _asked(data_set)


def _asked(data_set: DataSet) -> DataSet:
    data_set.job = jobs.ask(ModelJob.Kind.READ, str(data_set.pk))
    data_set.save(update_fields=["job"])
    return data_set


def read(data_set: DataSet, progress: Progress) -> str:
    """What a worker does: make the data set; what to tell people. Raises `UserError` with why not,
    and then keeps nothing of it."""
    source = allowed_folder(data_set.place) if data_set.place else data_set.incoming
    if not source.exists():
        raise Refused("The ZIP is not there any more. Send it again.")
    try:
        keep_data_set(data_set, read_source(source, progress))
    except UserError as error:
        DataSet.objects.filter(pk=data_set.pk).update(
            state=DataSet.State.REFUSED, message=error.message[:1000]
        )
        raise
    finally:
        if not data_set.place:
            data_set.incoming.unlink(missing_ok=True)
    return f"{data_set.photos:,} photos of {data_set.classes:,} classes are here."


@transaction.atomic
def ask_to_train(
    user: User | None, data_set: DataSet, *, title: str, head: str, why: str, seed: int
) -> TrainingRun:
    """Raises `UserError` with why it is not started."""
    row = DataSet.objects.select_for_update(no_key=True).filter(pk=data_set.pk).first()
    if row is None or row.deleted_at:
        raise Refused("The photos were deleted. Bring them back first; nothing was started.")
    if row.state != DataSet.State.READY:
        raise Refused("The photos are not read yet. Nothing was started.")
    if head not in HEADS:
        raise Refused(
            f"There is no such head; there are {', '.join(HEADS)}. Nothing was started.",
            field="head",
        )
    parameters: dict[str, Any] = {
        "data_set": data_set.pk,
        "title": tidy_title(title),
        "head": head,
    }
    return lifecycle.ask(PROBLEM, user=user, why=why, parameters=parameters, seed=seed)
