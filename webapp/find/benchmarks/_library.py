"""A library in the database as workers would have left it."""

from collections.abc import Iterator, Sequence

import numpy as np
from django.db import connection, transaction
from django.utils import timezone
from numpy.typing import NDArray

from search import fulltext
from webapp.accounts.models import User
from webapp.find.benchmarks import _drawn
from webapp.library.models import ChangeCounter, Photo
from webapp.teach.models import PhotoTag, Sight, Tag
from webapp.teach.services import EMBEDDING_DTYPE, active_version


def fill(vectors: Iterator[NDArray[np.float32]]) -> User:
    """Give a new user a photo, with tags and caption, for each of `vectors`."""
    owner = User.objects.create_user("benchmark")
    words = sorted({tag for text in _drawn.GENERIC_QUERIES for tag in _drawn.tags(text)})
    known = {tag.name: tag for tag in Tag.objects.bulk_create(Tag(name=word) for word in words)}
    for number, batch in enumerate(vectors):
        with transaction.atomic():
            change = ChangeCounter.next()
            rows = Photo.objects.bulk_create(photos(owner, number, len(batch), change))
            _describe(rows, batch, _drawn.captions(len(batch), seed=number), known)
    return owner


def photos(owner: User, number: int, count: int, change: int) -> list[Photo]:
    """Photos of one step, not stored yet."""
    now = timezone.now()
    return [
        Photo(
            owner=owner,
            sha256=f"{number:032x}{row:032x}",
            file_name=f"IMG_{row:05}.jpg",
            media_type="image/jpeg",
            size_bytes=4_000_000,
            width=4000,
            height=3000,
            shown_at=now,
            state=Photo.State.READY,
            change_number=change,
        )
        for row in range(count)
    ]


def _describe(
    photos: Sequence[Photo],
    vectors: NDArray[np.float32],
    captions: Sequence[str],
    known: dict[str, Tag],
) -> None:
    version = active_version()
    rows = list(zip(photos, vectors.astype(EMBEDDING_DTYPE), captions, strict=True))
    Sight.objects.bulk_create(
        Sight(
            photo=photo,
            version=version,
            embedding=vector.tobytes(),
            caption=caption,
            caption_confidence=1.0,
        )
        for photo, vector, caption in rows
    )
    PhotoTag.objects.bulk_create(
        PhotoTag(
            photo=photo,
            tag=known[tag],
            version=version,
            source=PhotoTag.Source.MODEL,
            probability=0.9,
        )
        for photo, _, caption in rows
        for tag in _drawn.tags(caption)
    )
    fulltext.upsert(
        connection,
        [
            fulltext.Document(photo.pk, _drawn.tags(caption), caption, photo.file_name)
            for photo, _, caption in rows
        ],
    )
