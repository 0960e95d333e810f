"""Reading a ZIP that anybody may have made.

Nothing is unpacked by name, so no name can lead anywhere; still, one that tries is refused. Only
what begins like a photo is read further, and never more of it than a photo may have. How much work
a ZIP makes is bounded before it is opened: by its size, the size of its directory, and the number
of its members.
"""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from webapp.errors import Refused
from webapp.teach.datasets.contents import MAX_MEMBERS, Contents, Member, is_litter

MAX_DIRECTORY_BYTES = 64 << 20
MAX_RATIO = 100  # of a photo's size to what it takes in the ZIP: photos are packed already
SMALL_BYTES = 1 << 20  # where a ratio says nothing
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1
UNIX = 3  # who wrote the entry: then its upper attribute bits are a file mode

_MEMBER = b"PK\1\2"  # begins each entry of the directory
_TOLD, _LENGTH, _AT = 4, 5, 9  # of what `zipfile` makes of the end of a ZIP
_END64_BYTES = 76  # of ZIP64's own end, with the locator, between the directory and the end

# What reading a broken member raises, in the words of the standard library.
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)
UNREADABLE = (*BROKEN, ValueError, struct.error, UnicodeDecodeError, OverflowError, LookupError)

DAMAGED = "The ZIP is damaged or cut off. Make it again. Nothing was kept."


@contextmanager
def open_archive(path: Path) -> Iterator[Contents]:
    """What a ZIP holds, for as long as the block lasts. Raises `Refused` with the reason."""
    _check_directory(path)
    try:
        archive = zipfile.ZipFile(path)
    except UNREADABLE as error:
        raise Refused(DAMAGED, code="damaged_zip") from error
    with archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        _check_overlap(entries, path.stat().st_size)
        yield _contents(archive, entries)


def _contents(archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo]) -> Contents:
    contents = Contents()
    for entry in entries:
        parts = entry.filename.replace("\\", "/").split("/")
        if is_litter(parts):
            contents.litter += 1
        elif why := _objection(entry, parts):
            contents.leave_out(entry.filename, why)
        else:
            contents.members.append(_member(archive, entry, parts))
    return contents


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, parts: Sequence[str]) -> Member:
    folders = tuple(part for part in parts[:-1] if part)

    @contextmanager
    def opened() -> Iterator[IO[bytes]]:
        with archive.open(entry) as file:
            yield file

    return Member(entry.filename, folders, opened)


def _objection(entry: zipfile.ZipInfo, parts: Sequence[str]) -> str:
    """Why an entry is not read; "" when nothing speaks against it."""
    mode = entry.external_attr >> 16 if entry.create_system == UNIX else 0
    if parts[0] == "" or parts[0].endswith(":") or ".." in parts:
        return "Its name leads out of the ZIP."
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "It is a link or a device, not a file."
    if entry.flag_bits & ENCRYPTED:
        return "It is encrypted; make the ZIP without a password."
    if entry.compress_type not in METHODS:
        return "It is packed in an unusual way; make the ZIP with an ordinary program."
    if entry.file_size == 0:
        return "It is empty (0 bytes)."
    if entry.file_size > settings.MAREA_MAX_FILE_MB << 20:
        return f"It is larger than a photo may be ({settings.MAREA_MAX_FILE_MB} MB)."
    if entry.file_size > max(SMALL_BYTES, MAX_RATIO * entry.compress_size):
        return "It unpacks to more than a hundred times its size, as no photo does."
    return ""


def _check_overlap(entries: Sequence[zipfile.ZipInfo], size: int) -> None:
    """Members that share bytes make a bomb of a small file (Fifield 2019)."""
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise Refused(
                "Members of the ZIP overlap, as in no honest one. Nothing was kept.",
                code="zip_bomb",
            )
        end = entry.header_offset + entry.compress_size
    if end > size:
        raise Refused(DAMAGED, code="damaged_zip")


def _check_directory(path: Path) -> None:
    """Refuse what the standard library would take much memory to list."""
    size = path.stat().st_size
    if size > settings.MAREA_MAX_DATASET_MB << 20:
        raise Refused(
            f"The ZIP has more than {settings.MAREA_MAX_DATASET_MB:,} MB (MAREA_MAX_DATASET_MB). "
            "Nothing was kept.",
            code="too_large",
        )
    try:
        is_too_long = _is_too_long(path)
    except (zipfile.BadZipFile, struct.error, ValueError) as error:
        raise Refused(
            "The file is not a ZIP, or it is cut off. Nothing was kept.", code="not_a_zip"
        ) from error
    if is_too_long:
        raise Refused(
            f"The ZIP lists more than {MAX_MEMBERS:,} files. Nothing was kept.",
            code="too_many_members",
        )


def _is_too_long(path: Path) -> bool:
    """Whether the directory names too many members, whatever number the end of the ZIP tells.

    Where the directory lies is asked of `zipfile` itself: read in a way of our own, an end could be
    made that says one thing to us and another to it.
    """
    with path.open("rb") as file:
        end: list[Any] | None = zipfile._EndRecData(file)  # type: ignore[attr-defined]
        if end is None:
            raise ValueError("no end of directory")
        told, length, at = end[_TOLD], end[_LENGTH], end[_AT]
        if told > MAX_MEMBERS or length > MAX_DIRECTORY_BYTES:
            return True
        file.seek(max(0, at - _END64_BYTES - length))
        return file.read(length + _END64_BYTES).count(_MEMBER) > MAX_MEMBERS
