"""Storing what models see. What people say about it is `saying`'s; it outranks a model's word."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
from django.db import transaction
from django.db.models import Count
from numpy.typing import NDArray

from vision.sight import Sight as LookedAt
from webapp.accounts.models import User
from webapp.errors import Refused
from webapp.find.documents import index_photos
from webapp.library.models import Photo, PhotoQuerySet
from webapp.library.services.claims import still_held
from webapp.teach.models import ModelVersion, PhotoTag, Sight, Tag
from webapp.teach.taught.tagging import tell_photos
from webapp.teach.versions.active import SHIPPED_WEIGHTS, active_version, weights_folder
from webapp.texts import JOINER, one_line

__all__ = ["SHIPPED_WEIGHTS", "active_version", "weights_folder"]  # from where they always came

EMBEDDING_DTYPE = np.dtype("<f2")  # as stored: 512 little-endian float16
MAX_TAG_LENGTH = 80


def embedding_from(stored: bytes | memoryview) -> NDArray[np.float32]:
    """A stored embedding as numbers, (512,)."""
    return np.frombuffer(stored, EMBEDDING_DTYPE).astype(np.float32)


class SeenTags(Protocol):
    @property
    def tags(self) -> Sequence[tuple[str, float]]: ...


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
        [sight_of(photo, version, seen) for photo, seen in kept],
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


def sight_of(photo: Photo, version: ModelVersion, seen: Seen) -> Sight:
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
        tags=[[name, round(float(probability), 4)] for name, probability in seen.tags],
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


def store_model_tags(version: ModelVersion, looked: Sequence[tuple[Photo, SeenTags]]) -> None:
    """Replace the version's tags on these photos, except where a person spoke about a tag. Lock the
    photos first."""
    photo_ids = [photo.pk for photo, _ in looked]
    of_photos = PhotoTag.objects.filter(photo__in=photo_ids)
    of_photos.filter(version=version, source=PhotoTag.Source.MODEL).delete()
    spoken = set(of_photos.filter(version=None).values_list("photo_id", "tag_id"))
    tags = tags_named({name for _, seen in looked for name, _ in seen.tags})
    PhotoTag.objects.bulk_create(
        [
            PhotoTag(
                photo=photo,
                tag=tags[name],
                version=version,
                source=PhotoTag.Source.MODEL,
                probability=float(probability),
            )
            for photo, seen in looked
            for name, probability in seen.tags
            if (photo.pk, tags[name].pk) not in spoken
        ],
        ignore_conflicts=True,
    )


def tell_seen(version: ModelVersion, looked: Sequence[tuple[Photo, Seen]]) -> None:
    """Let the tags that people taught look at these photos as well. Lock the photos first."""
    if looked:
        vectors = np.stack([seen.embedding for _, seen in looked])
        tell_photos(version, [photo.pk for photo, _ in looked], vectors)


def tell_again(photo_ids: Collection[int], wanted: Collection[str]) -> None:
    """Give photos back what each version sees of these tags, except where a person speaks about
    them. Lock the photos first."""
    told = PhotoTag.objects.filter(photo__in=photo_ids, version=None, tag__name__in=wanted)
    spoken = set(told.values_list("photo_id", "tag__name"))
    sights = Sight.objects.filter(photo__in=photo_ids)
    seen = [
        (photo_id, version_id, name, probability)
        for photo_id, version_id, tags in sights.values_list("photo_id", "version_id", "tags")
        for name, probability in tags
        if name in wanted and (photo_id, name) not in spoken
    ]
    tags = tags_named({name for _, _, name, _ in seen})
    PhotoTag.objects.bulk_create(
        [
            PhotoTag(
                photo_id=photo_id,
                tag=tags[name],
                version_id=version_id,
                source=PhotoTag.Source.MODEL,
                probability=probability,
            )
            for photo_id, version_id, name, probability in seen
        ],
        ignore_conflicts=True,
    )


def tags_named(names: Iterable[str]) -> dict[str, Tag]:
    """These tags by name; made where nobody has used them before."""
    wanted = {name[:MAX_TAG_LENGTH] for name in names}
    Tag.objects.bulk_create([Tag(name=name) for name in sorted(wanted)], ignore_conflicts=True)
    return {tag.name: tag for tag in Tag.objects.filter(name__in=wanted)}


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
