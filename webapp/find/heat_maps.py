"""Why it matched: heat maps over photos, from asking for one to its being there.

A request only writes down what is wanted and sends a signal; `workers.heating` draws.
"""

import hashlib
from collections.abc import Iterator

import numpy as np
from django.db import transaction
from django.db.models import F
from numpy.typing import NDArray

from webapp.accounts.models import User
from webapp.errors import Conflict, Refused
from webapp.find.models import HeatMap
from webapp.find.query.embedding import embed_query
from webapp.find.query.understanding import understand
from webapp.library.models import Photo
from webapp.library.services.reading import get_photo
from webapp.teach.services import EMBEDDING_DTYPE, active_version, embedding_from
from workers import queue

# Maps kept for one person; a page shows one at a time, and beyond it the oldest are dropped.
KEPT_A_PERSON = 200
GIVEN_UP = "Drawing this heat map ended the worker each time. Ask again tomorrow."


def heat_map(user: User, photo_id: int, text: str) -> bytes | None:
    """The map of `text` over the user's photo, PNG; None while a worker draws it.

    Raises `NotFound` for a photo that is not theirs, `Refused` for a query without words and
    `Conflict` where no map can be.
    """
    photo = get_photo(user, photo_id)
    if photo.state != Photo.State.READY:
        raise Conflict("This photo has not been looked at yet.", code="not_ready")
    words = understand(user, text).text
    if not words:
        raise Refused(
            "Only words about what a photo shows can be seen on it; conditions cannot.", field="q"
        )
    wanted = _ask(user, photo, words)
    if wanted.png is not None:
        return bytes(wanted.png)
    if wanted.failed:
        raise Conflict(wanted.failed, code="no_heat_map")
    queue.heat_maps_wait()
    return None


def _ask(user: User, photo: Photo, words: str) -> HeatMap:
    version = active_version()
    embedding = embed_query(version, words).astype(EMBEDDING_DTYPE).tobytes()
    row, is_new = HeatMap.objects.get_or_create(
        photo=photo,
        version=version,
        digest=hashlib.sha256(embedding).hexdigest(),
        defaults={"embedding": embedding},
    )
    if is_new:
        _drop_oldest(user)
    return row


def _drop_oldest(user: User) -> None:
    mine = HeatMap.objects.visible_to(user).order_by("-pk").values_list("pk", flat=True)
    if too_many := list(mine[KEPT_A_PERSON:]):
        HeatMap.objects.filter(pk__in=too_many).delete()


def waiting_heat_maps() -> Iterator[HeatMap]:
    """What is to be drawn, latest wish first, each counted as an attempt before it is handed out.

    A worker that dies over one leaves it to another; after a few such ends it is given up.
    """
    HeatMap.objects.filter(png=None, failed="").exclude(
        pk__in=HeatMap.objects.waiting().values("pk")
    ).update(failed=GIVEN_UP)
    seen: set[int] = set()
    while row := _next_waiting(seen):
        seen.add(row.pk)
        yield row


@transaction.atomic
def _next_waiting(seen: set[int]) -> HeatMap | None:
    waiting = HeatMap.objects.waiting().exclude(pk__in=seen).order_by("-pk")
    row = waiting.select_related("photo", "version").first()
    if row:
        HeatMap.objects.filter(pk=row.pk).update(attempts=F("attempts") + 1)
    return row


def query_embedding(row: HeatMap) -> NDArray[np.float32]:
    """The query's embedding, (512,)."""
    return embedding_from(row.embedding)


def store_heat_map(row: HeatMap, png: bytes) -> None:
    HeatMap.objects.filter(pk=row.pk).update(png=png, failed="")


def fail_heat_map(row: HeatMap, reason: str) -> None:
    HeatMap.objects.filter(pk=row.pk).update(failed=reason[:300])
