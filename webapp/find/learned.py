"""The learned order at work: which ranker this process uses, and hits in its order."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from search import cutoff
from search.errors import RankerDamaged
from search.query import Query
from search.rank import Hit
from search.ranker import files
from search.ranker.order import reordered, to_order
from search.words import content_words
from webapp.find.shown import COLUMNS, facts_of
from webapp.library.models import PhotoQuerySet

logger = logging.getLogger(__name__)

_turn = threading.Lock()
_opened: tuple[Path, tuple[int, int] | None] | None = None
_ranker: files.Ranker | None = None


def folder() -> Path:
    return Path(settings.MAREA_DATA) / "ranker"


def ranker_at_work() -> files.Ranker | None:
    """The promoted ranker, unless it is switched off or damaged. Follows promotions at once."""
    global _opened, _ranker
    if not settings.MAREA_RANKER:
        return None
    now = folder(), files.stamp(folder())
    with _turn:
        if _opened != now:
            _ranker, _opened = _open(now[0]), now
        return _ranker


def name_at_work() -> str:
    ranker = ranker_at_work()
    return ranker.name if ranker else ""


def in_learned_order(hits: Sequence[Hit], query: Query, visible: PhotoQuerySet) -> list[Hit]:
    """`hits` as people's choices would have them; one SQL query where a ranker is at work."""
    ranker = ranker_at_work()
    if ranker is None or not hits:
        return list(hits)
    confident = cutoff.confident(hits)
    ids = [hit.photo_id for hit in to_order(hits, confident)]
    photos = visible.filter(pk__in=ids).only(*COLUMNS)
    return reordered(
        hits,
        ranker.network,
        {photo.pk: facts_of(photo) for photo in photos},
        confident=confident,
        words=len(content_words(query.text)),
    )


def _open(path: Path) -> files.Ranker | None:
    try:
        return files.current(path)
    except RankerDamaged as error:
        logger.error("ranker_damaged reason=%s", error)
        return None
