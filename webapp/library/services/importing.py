"""Importing folders on the server: the way of an upload, many files at a time."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection

from webapp.accounts.models import User
from webapp.errors import NoSpace, UserError
from webapp.library.services.adding import Outcome, add_photo


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What became of one file: an outcome, or else why it was left out."""

    path: Path
    outcome: Outcome | None = None
    code: str = ""
    reason: str = ""


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Files at and below `paths`, hidden ones left out, each folder's in order of name.

    Links are followed; a folder that is reached again, as in a loop of links, is not entered twice.
    A folder that cannot be listed comes as itself, so that importing it tells the reason.
    """
    entered: set[tuple[int, int]] = set()
    closed: list[Path] = []
    for top in paths:
        if top.is_file():
            yield top
            continue
        for name, subfolders, files in os.walk(
            top, followlinks=True, onerror=lambda error: closed.append(Path(error.filename))
        ):
            folder = Path(name)
            if not _enters(folder, entered):
                subfolders.clear()
                continue
            subfolders[:] = _shown(subfolders)
            yield from (path for file in _shown(files) if (path := folder / file).is_file())
    yield from closed


def import_files(
    owner: User, files: Iterable[Path], *, parallel: int, tell: Callable[[Imported], object]
) -> None:
    """Add the files to the owner's library, `parallel` at a time.

    `tell` hears of each file when it is done, from the thread that did it, also of those that were
    under way when the import ends early. Doing it again adds nothing, so an interrupted import is
    gone on with by starting it again. Raises `NoSpace` when the disk is full.
    """
    pool = ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="import")
    try:
        futures = [pool.submit(lambda path: tell(_import(owner, path)), path) for path in files]
        for future in as_completed(futures):
            future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _import(owner: User, path: Path) -> Imported:
    try:
        modified_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        added = add_photo(owner, path, file_name=str(path.absolute()), modified_at=modified_at)
    except NoSpace:
        raise
    except UserError as error:
        return Imported(path=path, code=error.code, reason=error.message)
    except OSError as error:
        reason = f"{path.name} could not be read ({error.strerror})."
        return Imported(path=path, code="unreadable", reason=reason)
    finally:
        connection.close()  # this thread's own
    return Imported(path=path, outcome=added.outcome)


def _enters(folder: Path, entered: set[tuple[int, int]]) -> bool:
    """Whether a walk comes to this folder for the first time; remembers it."""
    with suppress(OSError):
        status = folder.stat()
        identity = (status.st_dev, status.st_ino)
        if identity not in entered:
            entered.add(identity)
            return True
    return False


def _shown(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if not name.startswith("."))
