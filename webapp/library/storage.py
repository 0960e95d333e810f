"""Content-addressed originals: named by their SHA-256, written once and never changed."""

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.files import File
from django.core.files.storage import FileSystemStorage, storages
from django.db import Error as DatabaseError

from webapp.errors import NoSpace

BLOCK_BYTES = 1 << 20
FULL = "The server's disk is full. The photo was not stored; free some space and try again."
POSTGRESQL_DISK_FULL = "53100"


def originals() -> FileSystemStorage:
    """The storage of originals: a folder, or a bucket by setting."""
    return storages["originals"]  # type: ignore[return-value]


@contextmanager
def local_original(name: str) -> Iterator[Path]:
    """The original as a file on this machine: itself, or a copy that lives as long as the block.

    Raises FileNotFoundError when the storage does not have it (a folder's file is not looked for).
    """
    try:
        path = originals().path(name)
    except NotImplementedError:  # a bucket has no paths
        with originals().open(name) as stored, tempfile.NamedTemporaryFile() as copy:
            shutil.copyfileobj(stored, copy, BLOCK_BYTES)
            copy.flush()
            yield Path(copy.name)
    else:
        yield Path(path)


class OriginalsOnDisk(FileSystemStorage):
    """A folder in which files appear complete or not at all."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """The same name is the same bytes, so it is always available."""
        return name

    def _save(self, name: str, content: File) -> str:
        target = Path(self.path(name))
        if not target.exists():
            with full_disk_is_told():
                write_atomically(target, content.chunks(BLOCK_BYTES))
        return name


def write_atomically(target: Path, chunks: Iterable[bytes]) -> None:
    """Write beside `target`, flush to the disk, then rename: readers see all of it or nothing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, made = tempfile.mkstemp(dir=target.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        Path(made).chmod(0o644)
        Path(made).replace(target)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise
    sync(target.parent)  # the rename itself survives a power cut


def sync(path: Path) -> None:
    """Force a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def full_disk_is_told() -> Iterator[None]:
    """Turn a full disk, met by a file or the database, into `NoSpace` with a sentence."""
    try:
        yield
    except (OSError, DatabaseError) as error:
        if _is_full(error):
            raise NoSpace(FULL) from error
        raise


def _is_full(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    cause = error.__cause__  # what Django's database error came from
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return getattr(cause, "sqlstate", None) == POSTGRESQL_DISK_FULL
