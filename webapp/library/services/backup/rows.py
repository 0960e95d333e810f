"""The rows of a backup: one JSON object a line, read and written through Django's serializers.

Reading happens in one snapshot of the database, so that the rows fit together while people go on
uploading. Sessions, workers and unfinished uploads are left out: nobody misses them. So is what
people searched for and opened: what they erase must not come back from a backup. Whether that is
remembered at all, and what they marked as not meant, is kept: that is a person's word.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from pathlib import Path

from django.core import serializers
from django.core.management.color import no_style
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder

from webapp.accounts.models import ApiToken, User
from webapp.albums.models import Album, AlbumPhoto, PhotoFolder
from webapp.find.history.models import SearchChoice, SearchDeed
from webapp.library.models import ChangeCounter, DeletedPhoto, Photo, Place
from webapp.stacks.models import StackChoice, StackWord
from webapp.teach.datasets.models import DataSet
from webapp.teach.job_models import ModelJob
from webapp.teach.models import Correction, ModelVersion, PhotoTag, Sight, Tag
from webapp.teach.runs.models import RunLine, RunPoint, TrainingRun
from webapp.teach.switching.models import Activation, Verdict
from webapp.teach.taught.models import TaughtAnswer, TaughtLine, TaughtTag
from webapp.teach.text_models import ReadText

# In an order in which no row comes before one that it refers to.
MODELS: tuple[type[models.Model], ...] = (
    *(User, ApiToken, ChangeCounter, Photo, Place, DeletedPhoto),
    *(ModelVersion, Sight, Tag, PhotoTag, Correction),
    *(TaughtTag, TaughtAnswer, TaughtLine),
    *(ModelJob, DataSet, TrainingRun, RunPoint, RunLine, Activation, Verdict),
    *(ReadText, Album, AlbumPhoto, PhotoFolder),
    *(StackWord, StackChoice),  # stacks themselves are made again
    *(SearchChoice, SearchDeed),  # of deeds the marks only
)
BATCH = 1000


class ExactEncoder(DjangoJSONEncoder):
    """Keeps microseconds, which Django's encoder cuts off for JavaScript's sake."""

    def default(self, o: object) -> object:
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


@contextmanager
def snapshot() -> Iterator[None]:
    """Reads inside see the database as it was at the first of them; writers are not held up."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")  # `atomic` would take the writers' lock
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
    else:
        with transaction.atomic(durable=True):
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield


def write_rows(path: Path) -> dict[str, int]:
    """Write all rows to `path`, gzipped. Returns how many of each model. Call in a `snapshot`."""
    numbers = {}
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=3) as file:
        for model in MODELS:
            rows = _kept(model).order_by("pk")
            numbers[model._meta.label] = rows.count()
            some = rows.iterator(chunk_size=BATCH)
            serializers.serialize("jsonl", some, stream=file, cls=ExactEncoder)
    return numbers


def _kept(model: type[models.Model]) -> models.QuerySet[models.Model]:
    rows: models.QuerySet[models.Model] = model._default_manager.all()
    return rows.filter(kind=SearchDeed.Kind.NOT_THIS) if model is SearchDeed else rows


@transaction.atomic
def read_rows(path: Path) -> dict[str, int]:
    """Put the rows of `path` in place of all that the database has. Returns how many of each."""
    for model in reversed(MODELS):
        model._default_manager.all().delete()
    numbers: Counter[str] = Counter()
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = (row.object for row in serializers.deserialize("jsonl", file))
        for model, some in groupby(rows, key=type):
            for batch in _batches(some):
                if model is PhotoTag:
                    _name_versions(batch)
                model._default_manager.bulk_create(batch)
                numbers[model._meta.label] += len(batch)
    _reset_sequences()
    return dict(numbers)


def _name_versions(photo_tags: Sequence[models.Model]) -> None:
    """Backups from before tags had versions hold those of the active one."""
    active = ModelVersion.objects.active()
    for each in photo_tags:
        if isinstance(each, PhotoTag) and each.source == PhotoTag.Source.MODEL:
            each.version_id = each.version_id or (active.pk if active else None)


def photo_hashes(path: Path) -> set[str]:
    """SHA-256s of the originals that the photos in a backup's rows refer to."""
    return values_in(path, "library.photo", "sha256")


def values_in(path: Path, model: str, field: str) -> set[str]:
    """What a field holds in a backup's rows of one model."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        found = (json.loads(line) for line in lines if f'"{model}"' in line)
        return {row["fields"][field] for row in found if row["model"] == model}


def _batches(rows: Iterator[models.Model]) -> Iterator[list[models.Model]]:
    batch: list[models.Model] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _reset_sequences() -> None:
    """Let new rows get ids above the restored ones, where the database counts apart from rows."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(MODELS)):
            cursor.execute(statement)


def newest_migrations() -> dict[str, str]:
    """The newest migration that each app's tables have seen."""
    applied = MigrationRecorder(connection).applied_migrations()
    return {app: max(name for other, name in applied if other == app) for app, _ in applied}
