"""Stacks follow the photos: what changed since the last time is compared with what is near it.

    StackProgress  up to which change, with which version's embeddings
    Print          made once a photo, by `workers.stacking`, which alone decodes

Everything here may run twice or be interrupted; a pair belongs together or not, whoever came first.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from django.db import transaction
from django.db.models import Q

from vision.sight import EMBED_DIM
from webapp.find.index import engine
from webapp.library.models import ChangeCounter, Photo, PhotoQuerySet
from webapp.stacks import likeness, quality
from webapp.stacks.likeness import BURST, Kind, Looks
from webapp.stacks.models import Print, Stack, StackMember, StackProgress, StackWord
from webapp.teach.models import ModelVersion, Sight
from webapp.teach.services import EMBEDDING_DTYPE, embedding_from

NEAREST = 24  # photos in the index that each photo is compared with
MOMENTS = 30  # photos taken about the same time that each is compared with
# All of a stack resemble each other so much: a burst that pans over a landscape is several.
LOOSE = 0.6
ALL = 2**63 - 1  # after every photo


@dataclass(frozen=True, slots=True)
class Pair:
    """Two photos that belong together; `one` has just been looked at."""

    one: int
    other: int
    kind: Kind


def is_behind(version: ModelVersion) -> bool:
    progress = StackProgress.objects.filter(version=version).first()
    return (progress.change_number if progress else 0) < ChangeCounter.current()


def begin(version: ModelVersion) -> StackProgress:
    """How far stacks of this version are. Those of another version's embeddings are dropped."""
    with transaction.atomic():
        progress, is_new = StackProgress.objects.get_or_create(version=version)
        if is_new:
            StackProgress.objects.exclude(version=version).delete()
            Stack.objects.all().delete()
    return progress


def next_changed(progress: StackProgress, limit: int) -> list[Photo]:
    """The photos that changed after `progress`, in the order of their changes."""
    later = Q(change_number__gt=progress.change_number)
    same = Q(change_number=progress.change_number, pk__gt=progress.photo_id)
    return list(Photo.objects.filter(later | same).order_by("change_number", "pk")[:limit])


def advance(progress: StackProgress, photos: Sequence[Photo], current: int) -> None:
    """Say that `photos` are done; none means that everything up to change `current` is."""
    done = (photos[-1].change_number, photos[-1].pk) if photos else (current, ALL)
    StackProgress.objects.filter(pk=progress.pk).update(change_number=done[0], photo_id=done[1])


def pairs_of(version: ModelVersion, photos: Iterable[Photo]) -> list[Pair]:
    """What belongs together with each of `photos`, all of them one owner's."""
    photos = [photo for photo in photos if photo.trashed_at is None]
    near = {photo.pk: _nearby(photo) for photo in photos}
    for photo_id, ids in _nearest(photos).items():
        near[photo_id] |= ids
    wanted = set(near).union(*near.values())
    looks = _looks(version, wanted)
    pairs = []
    for photo_id, others in near.items():
        if photo_id not in looks:
            continue
        for other in sorted(others - {photo_id}):
            if other in looks and (kind := likeness.belong(looks[photo_id], looks[other])):
                pairs.append(Pair(photo_id, other, kind))
    return pairs


def _nearest(photos: Sequence[Photo]) -> dict[int, set[int]]:
    """For each photo that is in the index, the owner's photos nearest to it."""
    if not photos:
        return {}
    view = engine.open_view(photos[0].owner)
    ids, vectors = view.index.vectors([photo.pk for photo in photos])
    if not ids.size:
        return {}
    _, found = view.index.search(vectors, NEAREST, view.photos)
    return {
        int(photo_id): {int(pk) for pk in row if pk >= 0}
        for photo_id, row in zip(ids, found, strict=True)
    }


def _nearby(photo: Photo) -> set[int]:
    """The owner's photos that were taken about the same time."""
    if photo.taken_at is None:
        return set()
    moment = (photo.taken_at - BURST, photo.taken_at + BURST)
    others = _comparable(Photo.objects.filter(owner=photo.owner_id, taken_at__range=moment))
    # The index of the timeline is on shown_at, which is taken_at where there is one.
    others = others.filter(shown_at__range=moment).newest_first()
    return set(others.values_list("pk", flat=True)[:MOMENTS])


def _comparable(photos: PhotoQuerySet) -> PhotoQuerySet:
    apart = StackWord.objects.filter(says=StackWord.Says.APART).values("photo")
    return photos.searchable().filter(print__isnull=False).exclude(pk__in=apart)


def _looks(version: ModelVersion, photo_ids: Iterable[int]) -> dict[int, Looks]:
    photos = _comparable(Photo.objects.filter(pk__in=photo_ids)).select_related("print")
    vectors = _embeddings(version, photo_ids)
    return {
        photo.pk: Looks(
            photo_id=photo.pk,
            embedding=vectors[photo.pk],
            grey=likeness.grey_of(bytes(photo.print.grey)),
            ratio=photo.width / max(1, photo.height),
            taken_at=photo.taken_at,
            camera=photo.camera,
        )
        for photo in photos
        if photo.pk in vectors
    }


def _embeddings(version: ModelVersion, photo_ids: Iterable[int]) -> dict[int, np.ndarray]:
    rows = Sight.objects.filter(version=version, photo__in=photo_ids)
    return {
        photo_id: embedding_from(stored)
        for photo_id, stored in rows.values_list("photo_id", "embedding")
        if len(stored) == EMBED_DIM * EMBEDDING_DTYPE.itemsize
    }


@transaction.atomic
def join(version: ModelVersion, owner_id: int, pairs: Sequence[Pair]) -> set[int]:
    """Put what belongs together into stacks; safe to repeat. Returns the stacks that changed."""
    StackProgress.objects.select_for_update(no_key=True).get(version=version)  # one at a time
    ids = {pk for pair in pairs for pk in (pair.one, pair.other)}
    mine = set(Photo.objects.filter(pk__in=ids, owner=owner_id).values_list("pk", flat=True))
    touched: set[int] = set()
    for pair in pairs:
        if {pair.one, pair.other} <= mine:
            touched |= _join(version, owner_id, pair)
    for stack_id in touched:
        _put_in_order(stack_id)
    return touched


def _join(version: ModelVersion, owner_id: int, pair: Pair) -> set[int]:
    stacks = dict(
        StackMember.objects.filter(photo__in=(pair.one, pair.other)).values_list("photo", "stack")
    )
    one, other = stacks.get(pair.one), stacks.get(pair.other)
    if one is not None and one == other:
        return set()
    members = {pair.one, pair.other} | set(
        StackMember.objects.filter(stack__in=stacks.values()).values_list("photo", flat=True)
    )
    if not _all_alike(version, members):
        return set()
    home = min(stacks.values()) if stacks else Stack.objects.create(owner_id=owner_id).pk
    StackMember.objects.filter(stack__in=stacks.values()).update(stack=home)
    Stack.objects.filter(pk__in=set(stacks.values()) - {home}).delete()
    for photo_id in {pair.one, pair.other} - set(stacks):
        StackMember.objects.create(photo_id=photo_id, stack_id=home, kind=pair.kind)
    return {home}


def _all_alike(version: ModelVersion, photo_ids: Iterable[int]) -> bool:
    vectors = np.stack(list(_embeddings(version, photo_ids).values()))
    return float((vectors @ vectors.T).min()) >= LOOSE


def _put_in_order(stack_id: int) -> None:
    members = list(StackMember.objects.filter(stack=stack_id).select_related("photo__print"))
    order = quality.best_first([member.photo for member in members])
    places = {photo.pk: place for place, photo in enumerate(order)}
    for member in members:
        member.place = places[member.photo_id]
    StackMember.objects.bulk_update(members, ["place"])


def store_prints(made: Iterable[tuple[int, bytes, float]]) -> None:
    """Prints of photos: (photo id, grey, sharpness). A photo deleted meanwhile is left out."""
    rows = list(made)
    there = set(Photo.objects.filter(pk__in=[row[0] for row in rows]).values_list("pk", flat=True))
    prints = [Print(photo_id=pk, grey=g, sharpness=s) for pk, g, s in rows if pk in there]
    Print.objects.bulk_create(prints, ignore_conflicts=True)


def lacking_print(photos: Sequence[Photo]) -> list[Photo]:
    """Those of `photos` that are in use and have no print yet."""
    have = set(
        Print.objects.filter(pk__in=[p.pk for p in photos]).values_list("photo_id", flat=True)
    )
    ready = [photo for photo in photos if photo.state == Photo.State.READY]
    return [photo for photo in ready if photo.pk not in have and photo.trashed_at is None]


def by_owner(photos: Iterable[Photo]) -> dict[int, list[Photo]]:
    owned: dict[int, list[Photo]] = defaultdict(list)
    for photo in photos:
        owned[photo.owner_id].append(photo)
    return owned
