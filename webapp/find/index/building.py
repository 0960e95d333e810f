"""Making a new base of the index; a worker's work, or `manage.py rebuild_index`'s."""

import logging
from pathlib import Path

from django.conf import settings

from search.errors import IndexDamaged, IndexMissing, IndexUnreachable
from search.index import FolderStore, Manifest, Store
from search.index.milvus import MilvusStore
from vision.sight import EMBED_DIM
from webapp.find.index import feed
from webapp.library.models import Photo
from webapp.teach.models import ModelVersion

logger = logging.getLogger(__name__)


def index_folder(version: ModelVersion) -> Path:
    """Where the index of a model version lives; vectors of two versions never meet."""
    return Path(settings.MAREA_INDEX) / Path(version.name).name


def index_store(version: ModelVersion) -> Store:
    """Where the bases of a model version are kept, by the engine that SEARCH_ENGINE names."""
    if settings.SEARCH_ENGINE.startswith("milvus://"):
        return MilvusStore(settings.SEARCH_ENGINE, version.name, version.digest)
    return FolderStore(index_folder(version), version.name, version.digest)


def build_index(version: ModelVersion) -> Manifest:
    """Make a base of everything that is searchable now, and put it in use.

    Web processes open it by themselves. Raises `search.errors.IndexBusy` if another process is at
    it already.
    """
    mark = feed.newest_change()  # first: what changes meanwhile is read again after the mark
    manifest = index_store(version).build(
        high_water_mark=mark, batches=feed.searchable_sights(version), dim=EMBED_DIM
    )
    logger.info("index built version=%s count=%d mark=%d", version.pk, manifest.count, mark)
    return manifest


def renew_index(version: ModelVersion) -> Manifest:
    """Bring the base up to date: files are made anew, a server is told what changed."""
    store = index_store(version)
    if not isinstance(store, MilvusStore) or (mark := _mark(store)) is None:
        return build_index(version)
    newest = feed.newest_change()
    changes = (
        (change.gone, change.ids, change.vectors) for change in feed.changes_after(version, mark)
    )
    return store.catch_up(high_water_mark=newest, changes=changes)


def undo_index(version: ModelVersion) -> Manifest:
    """Put the base before back in use; web processes open it by themselves and follow the database
    from there. Raises `search.errors.IndexMissing` if there is none."""
    return index_store(version).undo()


def needs_base(version: ModelVersion) -> bool:
    """Whether so much changed since the last base that web processes carry too much in memory."""
    try:
        mark = _mark(index_store(version)) or 0
    except IndexDamaged:
        return True
    except IndexUnreachable:  # nothing can be made there now
        return False
    return Photo.objects.changed_after(mark).count() > settings.MAREA_INDEX_DELTA


def _mark(store: Store) -> int | None:
    """Up to where the base in use goes; None if there is none that belongs to this database."""
    try:
        mark = store.manifest().high_water_mark
    except IndexMissing:
        return None
    # Beyond the newest change: of a database that has since been restored from a backup.
    return mark if mark <= feed.newest_change() else None
