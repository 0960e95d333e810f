"""Making a backup while Marea is at work. Only originals that are new cost time and space."""

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from webapp.errors import Refused
from webapp.library.models import Photo
from webapp.library.services.backup.layout import (
    ROWS,
    Manifest,
    file_sha256,
    original_in,
)
from webapp.library.services.backup.lessons import keep_lessons
from webapp.library.services.backup.rows import newest_migrations, snapshot, write_rows
from webapp.library.services.backup.versions import keep_versions
from webapp.library.storage import (
    BLOCK_BYTES,
    OriginalsOnDisk,
    local_original,
    originals,
    sync,
    write_atomically,
)

Progress = Callable[[Iterable[str]], Iterable[str]]

ABANDONED_AFTER_S = 24 * 3600
# Reasons why a file cannot be linked that copying gets around.
NO_LINK = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.EACCES}


def make_backup(folder: Path, *, progress: Progress = iter, link: bool = True) -> Path:
    """Make a backup within `folder`. Returns the folder that holds its rows and manifest.

    Files are kept before and after the rows are read: what is uploaded or deleted meanwhile is
    either in the backup with its original or not in it at all. `link` allows hard links where
    the backup is on the same disk.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _clear_abandoned(folder)
    _keep_folders(folder)
    for sha256 in progress(_hashes()):
        _keep(folder, sha256, link=link)
    now = datetime.now(UTC)
    making = folder / f"making-{now:%Y-%m-%dT%H%M%S.%fZ}"
    making.mkdir()
    with snapshot():
        rows = write_rows(making / ROWS)
        hashes = _hashes()
        migrations = newest_migrations()
    missing = [sha256 for sha256 in hashes if not _keep(folder, sha256, link=link)]
    _keep_folders(folder)
    Manifest(
        made_at=now.isoformat(timespec="seconds"),
        rows=rows,
        rows_sha256=file_sha256(making / ROWS),
        originals=len(hashes) - len(missing),
        original_bytes=sum(_size(folder, sha256) for sha256 in set(hashes) - set(missing)),
        missing_originals=missing,
        migrations=migrations,
    ).write(making)
    return _finish(making)


def _keep_folders(folder: Path) -> None:
    keep_versions(folder)
    keep_lessons(folder)


def _hashes() -> list[str]:
    return list(Photo.objects.order_by("sha256").values_list("sha256", flat=True).distinct())


def _keep(folder: Path, sha256: str, *, link: bool) -> bool:
    """Have this original in the backup. False when the library has lost it."""
    target = original_in(folder, sha256)
    if target.exists():
        return True
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with local_original(Photo(sha256=sha256).original_name) as source:
            if not (link and _is_local() and _link(source, target)):
                write_atomically(target, _verified(source, sha256))
    except FileNotFoundError:  # perhaps deleted a moment ago
        return False
    return True


def _is_local() -> bool:
    return isinstance(originals(), OriginalsOnDisk)


def _link(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except FileExistsError:
        return True
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        return False
    return True


def _verified(source: Path, sha256: str) -> Iterator[bytes]:
    """The file's bytes; raises `Refused` at their end if they are not what their name says."""
    digest = hashlib.sha256()
    with source.open("rb") as file:
        while chunk := file.read(BLOCK_BYTES):
            digest.update(chunk)
            yield chunk
    if digest.hexdigest() != sha256:
        raise Refused(
            f"The original {sha256} is damaged, so the backup was not made. Bring it back from an "
            "earlier backup with manage.py restore DIR --originals-only, then try again."
        )


def _size(folder: Path, sha256: str) -> int:
    return original_in(folder, sha256).stat().st_size


def _finish(making: Path) -> Path:
    """Give the backup its name, which makes it one."""
    for path in making.iterdir():
        sync(path)
    done = making.with_name(making.name.removeprefix("making-"))
    making.rename(done)
    sync(done.parent)
    return done


def _clear_abandoned(folder: Path) -> None:
    """Remove what interrupted backups left; a young one may still be in the making."""
    for path in folder.glob("making-*"):
        if path.stat().st_mtime < time.time() - ABANDONED_AFTER_S:
            shutil.rmtree(path)
