"""Are the originals and thumbnails there, whole, and all of them somebody's?"""

import hashlib
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.files.storage import FileSystemStorage

from webapp.library.models import Photo
from webapp.library.services.doctor.findings import Finding, Progress, count, problem, some
from webapp.library.services.thumbnails import (
    delete_thumbnails,
    has_thumbnails,
    remake_thumbnails,
)
from webapp.library.storage import originals

# A file may lie in the storage for a moment before its row is saved.
YOUNG_S = 3600
SHA256 = re.compile(r"[0-9a-f]{64}")


def stored(*, deep: bool, progress: Progress = iter) -> Iterator[Finding]:
    """Every original that a photo refers to; with `deep` its bytes are read and hashed."""
    contents = list(Photo.objects.order_by().values_list("sha256", "size_bytes").distinct())
    missing, damaged = [], []
    for sha256, size_bytes in progress(contents):
        name = Photo(sha256=sha256).original_name
        if not originals().exists(name):
            missing.append(sha256)
        elif originals().size(name) != size_bytes or (deep and _hash(name) != sha256):
            damaged.append(sha256)
    if missing:
        yield _lost(missing, "missing")
    if damaged:
        yield _lost(damaged, "damaged")
    if not missing and not damaged:
        read = "is there and reads as it was stored" if deep else "is there in its full length"
        yield Finding("originals", f"Each of {count(len(contents), 'original')} {read}.")


def _hash(name: str) -> str:
    with originals().open(name) as file:
        digest = hashlib.sha256()
        for chunk in file.chunks(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _lost(hashes: list[str], how: str) -> Finding:
    ids = list(Photo.objects.filter(sha256__in=hashes[:1000]).order_by("pk").values_list("pk"))
    return problem(
        "originals",
        f"{count(len(hashes), 'original')} {'is' if len(hashes) == 1 else 'are'} {how} "
        f"(photo {some([pk for (pk,) in ids])}).",
        "Bring them back from a backup: manage.py restore DIR --originals-only.",
    )


def orphans() -> Iterator[Finding]:
    """Files among the originals that no photo refers to. Buckets are not searched."""
    strays = _stray_originals()
    if strays:
        yield problem(
            "orphans",
            f"{count(len(strays), 'file')} among the originals belong to no photo.",
            f"move them to {_lost_and_found()}",
            lambda: _set_aside(strays),
        )


def _stray_originals() -> list[Path]:
    storage = originals()
    if not isinstance(storage, FileSystemStorage) or not Path(storage.location).is_dir():
        return []
    known = set(Photo.objects.order_by().values_list("sha256", flat=True).distinct())
    before = time.time() - YOUNG_S
    return [
        path
        for path in sorted(Path(storage.location).rglob("*"))
        if path.is_file() and path.name not in known and path.stat().st_mtime < before
    ]


def _lost_and_found() -> Path:
    return Path(settings.MAREA_DATA) / "lost+found"


def _set_aside(paths: list[Path]) -> str:
    folder = _lost_and_found()
    folder.mkdir(exist_ok=True)
    for path in paths:
        shutil.move(path, folder / path.name)
    return f"{count(len(paths), 'file')} were moved to {folder}; delete them when nobody asks."


def thumbnails(*, progress: Progress = iter) -> Iterator[Finding]:
    looked_at = Photo.objects.filter(state=Photo.State.READY).order_by("pk")
    lacking = [
        pk for pk, sha256 in looked_at.values_list("pk", "sha256") if not has_thumbnails(sha256)
    ]
    if lacking:
        yield problem(
            "thumbnails",
            f"{count(len(lacking), 'photo')} lack thumbnails.",
            "make them again",
            lambda: _remake(lacking, progress),
        )
    strays = _stray_thumbnails()
    if strays:
        yield problem(
            "thumbnails",
            f"There are thumbnails of {count(len(strays), 'photo')} that were deleted.",
            "delete them",
            lambda: _delete(strays),
        )
    if not lacking and not strays:
        yield Finding("thumbnails", "Every photo that was looked at has its thumbnails.")


def _remake(photo_ids: list[int], progress: Progress) -> str:
    photos = (Photo.objects.get(pk=pk) for pk in progress(photo_ids))
    made = remake_thumbnails(photos)
    return f"Thumbnails of {made:,} of {count(len(photo_ids), 'photo')} were made again."


def _stray_thumbnails() -> set[str]:
    """Hashes of thumbnails that no photo has."""
    there = {path.name[:64] for path in Path(settings.MAREA_THUMBNAILS).rglob("*.webp")}
    known = set(Photo.objects.order_by().values_list("sha256", flat=True).distinct())
    return {sha256 for sha256 in there - known if SHA256.fullmatch(sha256)}


def _delete(hashes: set[str]) -> str:
    for sha256 in hashes:
        delete_thumbnails(sha256)
    return f"The thumbnails of {count(len(hashes), 'photo')} were deleted."
