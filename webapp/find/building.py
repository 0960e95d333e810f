"""Making a new base of the index; a worker's work, or `manage.py rebuild_index`'s."""

import logging
from pathlib import Path

from django.conf import settings

from search.errors import IndexDamaged, IndexMissing
from search.index import Manifest, build_base
from vision.sight import EMBED_DIM
from webapp.find import feed
from webapp.library.models import Photo
from webapp.teach.models import ModelVersion

logger = logging.getLogger(__name__)


def index_folder(version: ModelVersion) -> Path:
    """Where the index of a model version lives; vectors of two versions never meet."""
    return Path(settings.MAREA_INDEX) / Path(version.name).name


def build_index(version: ModelVersion) -> Manifest:
    """Make a base of everything that is searchable now, and put it in use.

    Web processes open it by themselves. Raises `search.errors.IndexBusy` if another process is at
    it already.
    """
    mark = feed.newest_change()  # first: what changes meanwhile is read again after the mark
    manifest = build_base(
        index_folder(version),
        version=version.name,
        high_water_mark=mark,
        batches=feed.searchable_sights(version),
        dim=EMBED_DIM,
    )
    logger.info("index built version=%s count=%d mark=%d", version.pk, manifest.count, mark)
    return manifest


def needs_base(version: ModelVersion) -> bool:
    """Whether so much changed since the last base that web processes carry too much in memory."""
    try:
        mark = Manifest.read(index_folder(version)).high_water_mark
    except IndexMissing:
        mark = 0
    except IndexDamaged:
        return True
    if mark > feed.newest_change():  # of a database that has since been restored from a backup
        mark = 0
    return Photo.objects.changed_after(mark).count() > settings.MAREA_INDEX_DELTA
