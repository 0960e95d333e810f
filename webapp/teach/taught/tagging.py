"""Taught tags on photos: what lines say of them becomes `PhotoTag` rows, beside the models'.

A row says by which version's embedding it was seen, so another version's stand beside it and are
shown once that one serves. Where a person spoke about the tag on a photo, there is none.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np
from django.db import transaction
from django.db.models import Q, QuerySet
from numpy.typing import NDArray

from vision.sight import EMBED_DIM
from webapp.find.index.documents import index_photos
from webapp.library.models import ChangeCounter, Photo
from webapp.teach.models import ModelVersion, PhotoTag, PhotoTagQuerySet, Sight
from webapp.teach.seen_tags import tell_again
from webapp.teach.taught.models import TaughtLine, TaughtTag

BATCH = 2_000
EMBEDDING = np.dtype("<f2")  # as `services.EMBEDDING_DTYPE`, which imports this module

Vectors = NDArray[np.float32]
Stored = tuple[int, bytes | memoryview]  # photo id and embedding


def tell_photos(
    version: ModelVersion,
    photo_ids: Sequence[int],
    vectors: Vectors,
    *,
    names: Collection[str] = (),
) -> None:
    """Let taught tags at work look at these photos, (n, 512); with `names` only those. Lock the
    photos first, and index them afterwards."""
    owners = Photo.objects.filter(pk__in=photo_ids).values("owner")
    lines = TaughtLine.objects.filter(version=version, taught__owner__in=owners)
    lines = lines.filter(taught__is_on=True, taught__deleted_at=None)
    lines = lines.select_related("taught__tag")
    if names:
        lines = lines.filter(taught__tag__name__in=names)
    # Who switches one of them off waits for this, and then takes these off as well.
    found = list(lines.order_by("taught").select_for_update(of=("taught",), no_key=True))
    if not found:
        return
    owner_of = dict(Photo.objects.filter(pk__in=photo_ids).values_list("pk", "owner_id"))
    for line in found:
        own = [n for n, pk in enumerate(photo_ids) if owner_of.get(pk) == line.taught.owner_id]
        _tell(line, [photo_ids[number] for number in own], line.line.log_odds(vectors[own]))


def tell_stored(photo_ids: Collection[int], names: Collection[str]) -> None:
    """As `tell_photos`, of every version that has seen these photos."""
    sights = Sight.objects.filter(photo__in=photo_ids, version__taught_lines__isnull=False)
    by_version: dict[int, list[Stored]] = {}
    rows = sights.values_list("version_id", "photo_id", "embedding").distinct()
    for version_id, photo_id, stored in rows:
        by_version.setdefault(version_id, []).append((photo_id, stored))
    versions = ModelVersion.objects.in_bulk(by_version)
    for version_id, seen in by_version.items():
        ids, vectors = _read(seen)
        tell_photos(versions[version_id], ids, vectors, names=names)


def tell_library(line: TaughtLine, *, seconds: float, stopping: Callable[[], bool]) -> bool:
    """Tag the owner's library by `line`, for about `seconds`. Returns whether all of it is done.

    Safe to interrupt and to repeat: how far it came is in the row. Ends where the tag is switched
    off or renamed meanwhile, or somebody else goes on with it.
    """
    until = time.monotonic() + seconds
    for ids, vectors in _portions(line):
        if stopping() or time.monotonic() > until:
            return False
        with transaction.atomic():
            if not _tell_portion(line, ids, line.line.log_odds(vectors)):
                return False
    return bool(_as_it_was(line).update(is_told=True))


def take_off(
    taught: TaughtTag, *, seconds: float, stopping: Callable[[], bool] = lambda: False
) -> bool:
    """Take its tags off the library, for about `seconds`; what its owner said stays. The line
    begins anew if it is switched on again. Returns whether all of them are off."""
    until = time.monotonic() + seconds
    taught.lines.update(told_through=0, is_told=False)
    rows = PhotoTag.objects.filter(
        tag=taught.tag, source=PhotoTag.Source.TAUGHT, photo__owner=taught.owner
    )
    while ids := list(rows.order_by("photo").values_list("photo", flat=True).distinct()[:BATCH]):
        if stopping() or time.monotonic() > until:
            return False
        with transaction.atomic():
            Photo.objects.filter(pk__in=ids).lock()
            rows.filter(photo__in=ids).delete()
            tell_again(ids, [taught.tag.name])  # a version may have seen it as well
            index_photos(ids)
            ChangeCounter.next()
    return True


def _portions(line: TaughtLine) -> Iterator[tuple[list[int], Vectors]]:
    last = line.told_through
    sights = Sight.objects.filter(version=line.version, photo__owner=line.taught.owner_id)
    rows = sights.order_by("photo").values_list("photo", "embedding")
    while batch := list(rows.filter(photo__gt=last)[:BATCH]):
        ids, vectors = _read(batch)
        if ids:
            yield ids, vectors
        last = batch[-1][0]


def _read(rows: Sequence[Stored]) -> tuple[list[int], Vectors]:
    """Ids and embeddings, without those that only a damaged database holds."""
    size = EMBED_DIM * EMBEDDING.itemsize
    whole = [(photo_id, stored) for photo_id, stored in rows if len(stored) == size]
    vectors = np.frombuffer(b"".join(stored for _, stored in whole), EMBEDDING)
    ids = [photo_id for photo_id, _ in whole]
    return ids, vectors.reshape(len(whole), EMBED_DIM).astype(np.float32)


def _tell_portion(line: TaughtLine, ids: Sequence[int], log_odds: NDArray[np.float32]) -> bool:
    """Lock and touch only the photos that have the tag by this line, before or after. Returns
    whether the line is still the one to go on with."""
    shown = _shown(ids, log_odds)
    had = set(_rows(line).filter(photo__in=ids).values_list("photo", flat=True))
    touched = Photo.objects.filter(pk__in=shown | had).lock()
    if not _goes_on(line, ids[-1]):
        return False
    if touched:
        odds_of = dict(zip(ids, log_odds, strict=True))
        _tell(line, touched, np.array([odds_of[pk] for pk in touched]))
        index_photos(touched)
        ChangeCounter.next()
    return True


def _shown(photo_ids: Sequence[int], log_odds: NDArray[np.float32]) -> set[int]:
    return {pk for pk, odds in zip(photo_ids, log_odds.tolist(), strict=True) if odds >= 0}


def _goes_on(line: TaughtLine, last: int) -> bool:
    """Note that `line` was told up to `last`, if its tag is still at work under its name. Until the
    transaction ends, who switches it off waits."""
    at_work = TaughtTag.objects.at_work().filter(pk=line.taught_id, tag=line.taught.tag_id)
    if at_work.select_for_update(no_key=True).first() is None:
        return False
    moved = _as_it_was(line).update(told_through=last)
    line.told_through = last
    return bool(moved)


def _as_it_was(line: TaughtLine) -> QuerySet[TaughtLine]:
    """Its row, if nobody learnt it anew or told more by it meanwhile."""
    same = TaughtLine.objects.filter(pk=line.pk, learnt_from=line.learnt_from)
    return same.filter(told_through=line.told_through)


def _rows(line: TaughtLine) -> PhotoTagQuerySet:
    return PhotoTag.objects.filter(
        tag=line.taught.tag_id, version=line.version_id, source=PhotoTag.Source.TAUGHT
    )


def _tell(line: TaughtLine, photo_ids: Sequence[int], log_odds: NDArray[np.float32]) -> None:
    of_tag = PhotoTag.objects.filter(tag=line.taught.tag_id, photo__in=photo_ids)
    had = _rows(line).filter(photo__in=photo_ids)
    lost = {*had.values_list("photo", flat=True)} - _shown(photo_ids, log_odds)
    had.delete()
    tell_again(lost, [line.taught.tag.name])  # the version may have seen it as well
    taken = set(
        of_tag.filter(Q(version=None) | Q(version=line.version_id)).values_list("photo", flat=True)
    )
    PhotoTag.objects.bulk_create(
        [
            PhotoTag(
                photo_id=photo_id,
                tag_id=line.taught.tag_id,
                version_id=line.version_id,
                source=PhotoTag.Source.TAUGHT,
                probability=float(1 / (1 + np.exp(-odds))),
            )
            for photo_id, odds in zip(photo_ids, log_odds.tolist(), strict=True)
            if odds >= 0 and photo_id not in taken
        ]
    )
