"""The learned order at work: which ranker this process uses, and hits in its order."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from search import cutoff
from search.errors import RankerDamaged
from search.rank import Hit
from search.ranker import files
from search.ranker.order import reordered, to_order
from webapp.find.ranker.shown import COLUMNS, facts_of
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


def in_learned_order(
    hits: Sequence[Hit], ranker: files.Ranker | None, visible: PhotoQuerySet, *, words: int
) -> list[Hit]:
    """`hits` for a query of so many `words` as people's choices would have them; one SQL query
    where there is a ranker."""
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
        words=words,
    )


def _open(path: Path) -> files.Ranker | None:
    try:
        return files.current(path)
    except RankerDamaged as error:
        logger.error("ranker_damaged reason=%s", error)
        return None
