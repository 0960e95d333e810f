"""Storing what models see. What people say about it is `saying`'s; it outranks a model's word."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from django.db import transaction
from django.db.models import Count
from numpy.typing import NDArray

from vision.sight import Sight as LookedAt
from webapp.accounts.models import User
from webapp.errors import Refused
from webapp.find.index.documents import index_photos
from webapp.library.models import Photo, PhotoQuerySet
from webapp.library.services.claims import still_held
from webapp.teach.models import ModelVersion, PhotoTag, Sight
from webapp.teach.seen_tags import MAX_TAG_LENGTH, SeenTags, Tags, sayable, store_model_tags
from webapp.teach.taught.tagging import tell_photos
from webapp.teach.versions.active import SHIPPED_WEIGHTS, active_version, weights_folder
from webapp.texts import JOINER, one_line

__all__ = ["SHIPPED_WEIGHTS", "active_version", "weights_folder"]  # from where they always came

EMBEDDING_DTYPE = np.dtype("<f2")  # as stored: 512 little-endian float16


def embedding_from(stored: bytes | memoryview) -> NDArray[np.float32]:
    """A stored embedding as numbers, (512,)."""
    return np.frombuffer(stored, EMBEDDING_DTYPE).astype(np.float32)


class Seen(SeenTags, Protocol):
    """A `vision.sight.Sight`, named here by its shape so that torch stays out of this process."""

    @property
    def embedding(self) -> NDArray[np.float32]: ...
    @property
    def caption(self) -> str: ...
    @property
    def caption_confidence(self) -> float: ...
    @property
    def other_captions(self) -> Mapping[str, tuple[str, float]]: ...


@transaction.atomic
def store_sights(
    holder: str,
    version: ModelVersion,
    looked: Sequence[tuple[Photo, Seen]],
    placeholders: Mapping[int, bytes],
) -> int:
    """Store a batch's results and make its photos ready. Returns how many were stored.

    Photos whose lease another worker took over meanwhile are left alone, so results are stored
    once however often a photo was looked at.
    """
    held = still_held(holder, [photo for photo, _ in looked])
    if not _stays_active(version):
        held = set()  # another version took over meanwhile and will look again
    kept = [(photo, seen) for photo, seen in looked if photo.pk in held]
    Sight.objects.bulk_create(
        sights_of(version, kept),
        update_conflicts=True,
        unique_fields=["photo", "version"],
        update_fields=["embedding", "caption", "caption_confidence", "other_captions", "tags"],
    )
    store_model_tags(version, kept)
    tell_seen(version, kept)
    for photo, _ in kept:
        photo.state, photo.holder, photo.lease_until, photo.error = Photo.State.READY, "", None, ""
        photo.placeholder = placeholders.get(photo.pk, photo.placeholder)
    Photo.objects.bulk_update(
        [photo for photo, _ in kept], ["state", "holder", "lease_until", "error", "placeholder"]
    )
    index_photos(sorted(held))
    Photo.objects.filter(pk__in=held).mark_changed()
    return len(kept)


def _stays_active(version: ModelVersion) -> bool:
    """Whether this is the active version, and remains it until the transaction ends."""
    active = ModelVersion.objects.filter(pk=version.pk, is_active=True)
    return active.select_for_update(no_key=True).first() is not None


def sights_of(version: ModelVersion, looked: Sequence[tuple[Photo, Seen]]) -> list[Sight]:
    """Rows of what `version` saw, without words that are others' own; see `sayable`."""
    said = sayable(version, looked)
    return [_sight(photo, version, seen, said[photo.pk]) for photo, seen in looked]


def _sight(photo: Photo, version: ModelVersion, seen: Seen, tags: Tags) -> Sight:
    return Sight(
        photo=photo,
        version=version,
        embedding=seen.embedding.astype(EMBEDDING_DTYPE).tobytes(),
        caption=seen.caption[:500],
        caption_confidence=seen.caption_confidence,
        other_captions={
            language: [caption[:500], round(float(confidence), 4)]
            for language, (caption, confidence) in seen.other_captions.items()
        },
        tags=[[name, round(float(probability), 4)] for name, probability in tags],
    )


def sight_from(row: Sight) -> LookedAt:
    """What was stored, as the version gave it."""
    return LookedAt(
        embedding=embedding_from(row.embedding),
        tags=[(name, probability) for name, probability in row.tags],
        caption=row.caption,
        caption_confidence=row.caption_confidence,
        other_captions={code: (text, sure) for code, (text, sure) in row.other_captions.items()},
    )


def tell_seen(version: ModelVersion, looked: Sequence[tuple[Photo, Seen]]) -> None:
    """Let the tags that people taught look at these photos as well. Lock the photos first."""
    if looked:
        vectors = np.stack([seen.embedding for _, seen in looked])
        tell_photos(version, [photo.pk for photo, _ in looked], vectors)


def tag_counts(user: User, *, start: str = "", limit: int = 200) -> list[tuple[str, int]]:
    """Tags in the user's library that begin with `start`, with their photos, most used first."""
    tags = PhotoTag.objects.visible_to(user).shown().in_library()
    if start:
        tags = tags.filter(tag__name__startswith=start.lower())
    counts = tags.values_list("tag__name").annotate(photos=Count("pk"))
    return list(counts.order_by("-photos", "tag__name")[:limit])


def tags_on(photos: PhotoQuerySet, limit: int = 200) -> list[str]:
    """The tags that people see on these photos, most frequent first."""
    shown = PhotoTag.objects.shown().filter(photo__in=photos)
    counts = shown.values_list("tag__name").annotate(photos=Count("pk"))
    return [name for name, _ in counts.order_by("-photos", "tag__name")[:limit]]


def tidy_tag(name: str) -> str:
    """A tag as it is stored: lower case, single spaces. Raises `Refused` when nothing is left."""
    tidy = one_line(name).lower()
    if not tidy.strip(JOINER):
        raise Refused("A tag needs at least one letter. Nothing was tagged.", field="tag")
    if len(tidy) > MAX_TAG_LENGTH:
        raise Refused(
            f"A tag may have at most {MAX_TAG_LENGTH} characters, this one has {len(tidy)}. "
            "Nothing was tagged.",
            field="tag",
        )
    return tidy
