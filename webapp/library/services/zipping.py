"""Originals as one ZIP, made while it is sent: nothing is gathered in memory or on the disk."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePath

from zipstream import ZIP_STORED, ZipStream

from webapp.library.file_names import download_name
from webapp.library.models import Photo
from webapp.library.storage import BLOCK_BYTES, originals

NOTE = "NOT IN THIS ZIP.txt"
ASKED_AT_ONCE = 16  # a bucket answers in some 20 ms, so thousands are asked side by side


def zip_photos(photos: Sequence[Photo]) -> ZipStream:
    """A stream of the photos' originals; `len` of it is its size in bytes, known beforehand.

    Photos are stored as they are, since their formats are compressed already. Where an original is
    missing from the storage, a note in the ZIP says so: a stream cannot tell once it has begun.
    """
    archive = ZipStream(compress_type=ZIP_STORED, sized=True)
    taken = {NOTE.lower()}
    missing = []
    with ThreadPoolExecutor(ASKED_AT_ONCE) as threads:
        for photo, size_bytes in zip(photos, threads.map(_size, photos), strict=True):
            name = _unused_name(download_name(photo), taken)
            if size_bytes is None:
                missing.append(name)
            else:
                archive.add(_blocks(photo), arcname=name, size=size_bytes)
    if missing:
        archive.add(_note(missing), arcname=NOTE)
    return archive


def _size(photo: Photo) -> int | None:
    """Bytes of the original as it is stored; None when it is not there."""
    try:
        return originals().size(photo.original_name)
    except FileNotFoundError:
        return None


def _note(missing: Sequence[str]) -> str:
    files = "\r\n".join(missing)
    return (
        f"The originals of these photos are missing from the server's storage:\r\n\r\n{files}\r\n"
        "\r\nThe administrator can look into it with manage.py doctor.\r\n"
    )


def _blocks(photo: Photo) -> Iterator[bytes]:
    with originals().open(photo.original_name) as file:
        yield from file.chunks(BLOCK_BYTES)


def _unused_name(name: str, taken: set[str]) -> str:
    """`name`, or with a number when the ZIP has it already; case is no difference on all systems.

    A leading dot or separators would let a file land elsewhere than its reader expects.
    """
    clean = name.replace("/", "_").replace("\\", "_").replace(":", "_").lstrip(". ") or "photo"
    path, number = PurePath(clean), 1
    unused = clean
    while unused.lower() in taken:
        number += 1
        unused = f"{path.stem} ({number}){path.suffix}"
    taken.add(unused.lower())
    return unused
