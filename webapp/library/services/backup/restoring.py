"""Restoring a backup: originals first, then all rows in one transaction, then what follows."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from webapp.accounts.models import User
from webapp.errors import Conflict, Refused
from webapp.find.index.documents import forget_photos, index_photos
from webapp.library.models import Photo, Worker
from webapp.library.services.backup.layout import ROWS, Manifest, file_sha256, original_in
from webapp.library.services.backup.lessons import bring_back_lessons
from webapp.library.services.backup.rows import photo_hashes, read_rows
from webapp.library.services.backup.versions import bring_back_versions
from webapp.library.storage import local_original, originals
from webapp.teach.job_models import ModelJob
from webapp.teach.models import ModelVersion, lacking_sight
from webapp.teach.switching.readying import forget_tables
from webapp.teach.versions.active import active_version

Progress = Callable[[Iterable[str]], Iterable[str]]

BATCH = 500


@dataclass
class Restored:
    rows: dict[str, int] = field(default_factory=dict)
    originals: int = 0
    lost: list[str] = field(default_factory=list)  # hashes that the backup does not have whole


def check_backup(folder: Path) -> None:
    """Raise `Refused` unless this version of Marea can restore the backup in `folder`."""
    manifest = Manifest.read(folder)
    if file_sha256(folder / ROWS) != manifest.rows_sha256:
        raise Refused(f"{folder / ROWS} is damaged. Choose another backup with --at.")
    known = MigrationLoader(connection).disk_migrations
    unknown = [each for each in manifest.migrations.items() if each not in known]
    if unknown:
        raise Refused(
            f"The backup was made by a newer Marea (it has {'.'.join(unknown[0])}). Update first."
        )


def check_library(*, force: bool) -> None:
    """Raise `Conflict` unless a backup may take the place of what is in the library."""
    if Worker.objects.present().exists():
        raise Conflict("Marea is running. Stop it, then restore; nothing was changed.")
    if not force and (User.objects.exists() or Photo.objects.exists()):
        raise Conflict(
            "This library is not empty. Restoring would replace its users, photos and tags; say "
            "--force if you want that. Nothing was changed."
        )


def restore_originals(folder: Path, *, progress: Progress = iter) -> Restored:
    """Bring back the originals of the backup in `folder` that are missing or damaged here."""
    restored = Restored()
    for sha256 in progress(sorted(photo_hashes(folder / ROWS))):
        if _is_whole(sha256):
            continue
        source = original_in(folder.parent, sha256)
        if not source.exists() or file_sha256(source) != sha256:
            restored.lost.append(sha256)
            continue
        _put_back(source, sha256)
        restored.originals += 1
    return restored


def restore_rows(folder: Path) -> dict[str, int]:
    """Put the backup's rows in place of the database's. Returns how many of each model."""
    bring_back_versions(folder.parent)
    bring_back_lessons(folder.parent)
    with transaction.atomic():
        forget_photos(list(Photo.objects.values_list("pk", flat=True)))
        numbers = read_rows(folder / ROWS)
        _have_a_version_at_work()
        forget_tables()
        ids = list(Photo.objects.order_by("pk").values_list("pk", flat=True))
        for at in range(0, len(ids), BATCH):
            index_photos(ids[at : at + BATCH])
        _end_jobs()
        # Whoever held a photo when the backup was made holds it no more.
        Photo.objects.exclude(holder="").update(holder="", lease_until=None)
    _forget_index()
    return numbers


def _have_a_version_at_work() -> None:
    """A backup may name none. Then the one that ships is put to work and looks at what it lacks, or
    photos that others looked at would never be found by it."""
    if ModelVersion.objects.active():
        return
    ready = Photo.objects.filter(state=Photo.State.READY)
    lacking_sight(ready, active_version()).update(state=Photo.State.WAITING, attempts=0)


def _end_jobs() -> None:
    """Nobody wants a training or a switch to begin because a backup was restored; it can go on when
    somebody says so."""
    ModelJob.objects.unfinished().update(
        state=ModelJob.State.FAILED,
        step="",
        lease_until=None,
        message="It was unfinished when the backup was made that was restored.",
    )


def _forget_index() -> None:
    """The index follows change numbers, which mean something else now; it is built again."""
    shutil.rmtree(settings.MAREA_INDEX, ignore_errors=True)


def _is_whole(sha256: str) -> bool:
    name = Photo(sha256=sha256).original_name
    if not originals().exists(name):
        return False
    with local_original(name) as path:
        return file_sha256(path) == sha256


def _put_back(source: Path, sha256: str) -> None:
    name = Photo(sha256=sha256).original_name
    originals().delete(name)  # damaged, if it is there at all
    with source.open("rb") as file:
        originals().save(name, File(file))
