"""What search follows in the database: sights to build from, and what changed after a number."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.sight import EMBED_DIM
from webapp.library.models import ChangeCounter, DeletedPhoto, Photo
from webapp.teach.models import ModelVersion
from webapp.teach.services import EMBEDDING_DTYPE

BATCH = 2_000

Rows = list[tuple[int, int, bytes | memoryview]]  # photo id, owner id, embedding


@dataclass(frozen=True)
class Change:
    """Photos of one step of the feed.

    `ids` (n,) with `vectors` (n, 512) and `owners` (n,) are searchable as they are here; `gone` are
    not, or no longer.
    """

    ids: NDArray[np.int64]
    owners: NDArray[np.int64]
    vectors: NDArray[np.float16]
    gone: NDArray[np.int64]


def newest_change() -> int:
    return ChangeCounter.current()


def changes_after(version: ModelVersion, number: int) -> Iterator[Change]:
    """What changed after change `number`, as it is now, a batch at a time.

    Reading once too often does no harm. Numbers become visible in order (see `ChangeCounter`), so
    whoever reads `newest_change` first and then this has seen everything up to that number.
    """
    deleted = DeletedPhoto.objects.changed_after(number).values_list("photo_id", flat=True)
    if gone := list(deleted):
        yield _change([], gone)
    changed = Photo.objects.changed_after(number).values_list("pk", flat=True)
    ids = sorted(changed)
    for at in range(0, len(ids), BATCH):
        batch = ids[at : at + BATCH]
        seen = _seen(version, batch)
        found = {photo_id for photo_id, _, _ in seen}
        yield _change(seen, [photo_id for photo_id in batch if photo_id not in found])


def searchable_sights(
    version: ModelVersion,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16], NDArray[np.int64]]]:
    """Ids, ascending, embeddings (n, 512) and owners of all searchable photos, a batch at a
    time."""
    last = 0
    while batch := list(
        Photo.objects.searchable()
        .filter(pk__gt=last, sights__version=version)
        .order_by("pk")
        .values_list("pk", "owner_id", "sights__embedding")[:BATCH]
    ):
        change = _change(batch, [])
        yield change.ids, change.vectors, change.owners
        last = batch[-1][0]


def searchable_by_owner() -> Iterator[tuple[int, int]]:
    """(owner id, photo id) of all searchable photos."""
    pairs = Photo.objects.searchable().order_by().values_list("owner_id", "pk")
    return pairs.iterator(chunk_size=10_000)


def _seen(version: ModelVersion, photo_ids: list[int]) -> Rows:
    photos = Photo.objects.searchable().filter(pk__in=photo_ids, sights__version=version)
    return list(photos.order_by("pk").values_list("pk", "owner_id", "sights__embedding"))


def _change(rows: Rows, gone: list[int]) -> Change:
    """Embeddings that are not what they should be, which only a damaged database holds, count as
    gone: the photo is still found by its words."""
    size = EMBED_DIM * EMBEDDING_DTYPE.itemsize
    whole = [row for row in rows if len(row[2]) == size]
    return Change(
        ids=np.array([row[0] for row in whole], np.int64),
        owners=np.array([row[1] for row in whole], np.int64),
        vectors=np.frombuffer(b"".join(row[2] for row in whole), EMBEDDING_DTYPE).reshape(
            len(whole), EMBED_DIM
        ),
        gone=np.array(gone, np.int64),
    )
