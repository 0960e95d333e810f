"""What trainings learned from forgets with the library: photos that were deleted for good, and
words whose record went with a photo or an account, go from snapshots and from features kept."""

import logging
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from webapp.errors import NotFound
from webapp.library.models import Photo
from webapp.teach.models import Correction
from webapp.teach.runs.snapshots import (
    read_snapshot,
    redact_snapshot,
    snapshots_folder,
    training_folder,
)

logger = logging.getLogger(__name__)

BATCH = 500  # hashes in one statement
SPOKEN = ("learned", "judged")  # parts of a snapshot that have words for each photo

Snapshot = Mapping[str, Any]
Said = set[tuple[str, str]]  # (SHA-256 of a photo, a tag or caption that somebody gave it)


def forget_gone() -> int:
    """Safe to interrupt and repeat. Returns how many snapshots became shorter."""
    photos = {sha for _, content in _snapshots() for sha in _photos(content)}
    there, said = _there(photos), _said(photos)
    shortened = 0
    for name, content in _snapshots():
        rest = _without_gone(content, there, said)
        if rest != content:
            redact_snapshot(name, rest)
            shortened += 1
    features = _forget_features()
    if shortened or features:
        logger.info("forgotten snapshots=%d features=%d", shortened, features)
    return shortened


def _snapshots() -> Iterator[tuple[str, Snapshot]]:
    for path in sorted(snapshots_folder().glob("*.json")):
        try:
            yield path.stem, read_snapshot(path.stem)
        except NotFound as error:  # whoever damaged it, nobody learns from it
            logger.warning("snapshot_unreadable name=%s reason=%s", path.stem[:12], error)


def _photos(content: Snapshot) -> Iterator[str]:
    for part in (*SPOKEN, "others"):
        yield from content.get(part, ())


def _there(photos: Collection[str]) -> set[str]:
    """Which of these photos somebody still has."""
    there: set[str] = set()
    for some in _in_batches(photos):
        there |= set(Photo.objects.filter(sha256__in=some).values_list("sha256", flat=True))
    return there


def _said(photos: Collection[str]) -> Said:
    """What is on record about these photos."""
    said: Said = set()
    for some in _in_batches(photos):
        words = Correction.objects.filter(photo__sha256__in=some)
        said |= set(words.values_list("photo__sha256", "value").distinct())
    return said


def _without_gone(content: Snapshot, there: set[str], said: Said) -> Snapshot:
    rest = dict(content)
    for part in content.keys() & {*SPOKEN}:
        own = content[part]
        rest[part] = {sha: _words(sha, own[sha], said) for sha in own if sha in there}
    if "others" in content:
        rest["others"] = [sha for sha in content["others"] if sha in there]
    return rest


def _words(sha: str, words: Any, said: Said) -> Any:
    """Captions are a list, tags a mapping to whether the photo shows them."""
    if isinstance(words, dict):
        return {word: shows for word, shows in words.items() if (sha, word) in said}
    if isinstance(words, list):
        return [text for text in words if (sha, text) in said]
    return words


def _forget_features() -> int:
    """Files are called by the hash of their photo; see `vision.training.owned.features`."""
    files = list((training_folder() / "features").glob("*/[0-9a-f][0-9a-f]/*.safetensors"))
    there = _there({path.stem for path in files})
    gone = [path for path in files if path.stem not in there]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


def _in_batches(photos: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(photos)
    for at in range(0, len(ordered), BATCH):
        yield ordered[at : at + BATCH]
