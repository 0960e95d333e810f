"""Originals as one ZIP, made while it is sent: nothing is gathered in memory or on the disk."""

from collections.abc import Iterator
from pathlib import PurePath

from zipstream import ZIP_STORED, ZipStream

from webapp.library.file_names import download_name
from webapp.library.models import Photo
from webapp.library.storage import BLOCK_BYTES, originals


def zip_photos(photos: list[Photo]) -> ZipStream:
    """A stream of the photos' originals; `len` of it is its size in bytes, known beforehand.

    Photos are stored as they are, since their formats are compressed already.
    """
    archive = ZipStream(compress_type=ZIP_STORED, sized=True)
    taken: set[str] = set()
    for photo in photos:
        name = _unused_name(download_name(photo), taken)
        archive.add(_blocks(photo), arcname=name, size=photo.size_bytes)
    return archive


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
