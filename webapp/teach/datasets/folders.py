"""Reading a folder on the server as a data set."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings

from webapp.errors import Refused
from webapp.teach.datasets.contents import MAX_MEMBERS, Contents, Member, is_litter


def allowed_folder(text: str) -> Path:
    """The folder that somebody typed, if it lies below an allowed one. Raises `Refused`.

    Unknown and forbidden folders get the same answer: it must not tell what is on this machine.
    """
    roots = [Path(root).resolve() for root in settings.MAREA_DATASET_FOLDERS]
    if not roots:
        raise Refused(
            "No folder of the server may be read: name some in MAREA_DATASET_FOLDERS first, or "
            "upload a ZIP.",
            field="folder",
        )
    try:
        folder = Path(text.strip()).resolve(strict=True)
        allowed = folder.is_dir() and any(folder.is_relative_to(root) for root in roots)
    except (OSError, ValueError, RuntimeError):  # not there, a NUL, a loop of links
        allowed = False
    if not allowed:
        raise Refused(
            "There is no such folder among those that MAREA_DATASET_FOLDERS allows. Nothing was "
            "read.",
            field="folder",
        )
    return folder


def open_folder(folder: Path) -> Contents:
    """What a folder holds. Links are not followed: they may lead out of it."""
    contents = Contents()
    if not folder.is_dir():
        raise Refused(f"{folder} is not a folder. Nothing was read.", field="folder")
    for top, subfolders, files in os.walk(folder, onerror=_refuse):
        inside = Path(top).relative_to(folder).parts
        subfolders[:] = sorted(name for name in subfolders if not is_litter([name]))
        for name in sorted(files):
            _add(contents, Path(top) / name, inside)
        if len(contents.members) > MAX_MEMBERS:
            raise Refused(f"The folder has more than {MAX_MEMBERS:,} files. Nothing was read.")
    return contents


def _refuse(error: OSError) -> None:
    raise Refused(
        f"A folder in it cannot be listed ({error.strerror}). Nothing was read.", field="folder"
    )


def _add(contents: Contents, path: Path, inside: tuple[str, ...]) -> None:
    if is_litter([path.name]):
        contents.litter += 1
        return
    name, status = "/".join([*inside, path.name]), path.lstat()
    if not stat.S_ISREG(status.st_mode):
        contents.leave_out(name, "It is a link or a device, not a file.")
    elif not status.st_size:
        contents.leave_out(name, "It is empty (0 bytes).")
    elif status.st_size > settings.MAREA_MAX_FILE_MB << 20:
        contents.leave_out(
            name, f"It is larger than a photo may be ({settings.MAREA_MAX_FILE_MB} MB)."
        )
    else:
        contents.members.append(Member(name, inside, lambda: _opened(path)))


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Not through a link that took its place meanwhile."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        yield file
