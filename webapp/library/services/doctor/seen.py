"""Has the active model version seen every photo, and can every photo be found?"""

from collections.abc import Iterator

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Length

from search.errors import IndexDamaged, IndexMissing, IndexUnreachable
from search.index import Manifest
from vision.sight import EMBED_DIM
from webapp.find.index.building import build_index, index_store
from webapp.find.index.documents import index_photos
from webapp.library.models import ChangeCounter, Photo
from webapp.library.services.doctor.findings import Finding, count, note, problem
from webapp.teach.models import ModelVersion, Sight
from webapp.teach.services import EMBEDDING_DTYPE, active_version
from webapp.teach.switching.activating import unseen
from webapp.teach.switching.readying import untold, versions_ready
from workers import queue

BATCH = 500
EMBEDDING_BYTES = EMBED_DIM * EMBEDDING_DTYPE.itemsize


def sights() -> Iterator[Finding]:
    version = active_version()
    malformed = Sight.objects.annotate(size=Length("embedding")).exclude(size=EMBEDDING_BYTES)
    if number := malformed.count():
        yield problem(
            "sights",
            f"{count(number, 'embedding')} in the database are not whole.",
            "delete them and look at the photos again",
            lambda: _look_again(malformed),
        )
    if number := unseen(version).count():
        yield problem(
            "sights",
            f"{version.name} has not looked at {count(number, 'photo')} that count as ready.",
            "put them back into the queue",
            lambda: _queue(version),
        )
    else:
        yield Finding("sights", f"{version.name} has looked at every photo that counts as ready.")


def _look_again(malformed: QuerySet[Sight]) -> str:
    version = active_version()
    malformed.delete()
    return _queue(version)


def _queue(version: ModelVersion) -> str:
    number = unseen(version).update(state=Photo.State.WAITING, attempts=0)
    queue.there_is_work()
    return f"{count(number, 'photo')} wait to be looked at again."


def full_text() -> Iterator[Finding]:
    """Each photo has its row of words."""
    lacking = sorted({pk for version in versions_ready() for pk in untold(version)})
    if lacking:
        yield problem(
            "full text",
            f"The words of {count(len(lacking), 'photo')} are missing from full-text search.",
            "collect them again",
            lambda: _index_words(lacking),
        )
    else:
        yield Finding("full text", "The words of every photo can be searched.")


def _index_words(photo_ids: list[int]) -> str:
    for batch in _batches(photo_ids):
        with transaction.atomic():
            index_photos(batch)
    return f"The words of {count(len(photo_ids), 'photo')} were collected again."


def _batches(ids: list[int]) -> Iterator[list[int]]:
    return (ids[at : at + BATCH] for at in range(0, len(ids), BATCH))


def index() -> Iterator[Finding]:
    """The base is whole, of the active version and not ahead of the database."""
    version = active_version()
    try:
        manifest = index_store(version).verify()
    except IndexUnreachable as error:
        yield problem("index", str(error), "build it again", _rebuild)
    except IndexMissing:
        yield note("index", "No index base was built yet; search works without one.")
    except IndexDamaged as error:
        yield problem("index", str(error), "build it again", _rebuild)
    else:
        yield _compare(manifest, version)


def _compare(manifest: Manifest, version: ModelVersion) -> Finding:
    newest = ChangeCounter.current()
    if manifest.version != version.name or manifest.high_water_mark > newest:
        return problem(
            "index",
            f"The index is of {manifest.version} at change {manifest.high_water_mark:,}; the "
            f"database is of {version.name} at change {newest:,}.",
            "build it again",
            _rebuild,
        )
    return Finding(
        "index",
        f"The index holds {count(manifest.count, 'photo')} and is whole; "
        f"{count(newest - manifest.high_water_mark, 'change')} came after it.",
    )


def _rebuild() -> str:
    manifest = build_index(active_version())
    return f"The index was built again with {count(manifest.count, 'photo')}."
