"""Who works on which photo. The row itself says it, so neither a dead worker nor a lost signal
loses a photo, and no photo is worked on by two.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from webapp.library.models import Photo, PhotoQuerySet
from workers import queue


def claim_batch(holder: str, *, size: int, fresh_only: bool = False) -> list[Photo]:
    """Take up to `size` photos for `holder`, oldest upload first, under a lease.

    A photo that was tried before is claimed alone: if it kills its worker, it takes no other
    photo's attempt with it. For the same reason who holds photos already asks for `fresh_only`.
    Photos out of attempts are set aside here.
    """
    set_aside_exhausted()
    with transaction.atomic():
        chosen = _lock_candidates(size, fresh_only)
        Photo.objects.filter(pk__in=chosen).update(
            holder=holder, lease_until=_lease(), attempts=F("attempts") + 1
        )
    return list(Photo.objects.filter(pk__in=chosen).order_by("pk"))


def _lock_candidates(size: int, fresh_only: bool) -> list[int]:
    candidates = Photo.objects.claimable().order_by("attempts", "pk")
    if fresh_only:
        candidates = candidates.filter(attempts=0)
    if connection.features.has_select_for_update_skip_locked:
        candidates = candidates.select_for_update(skip_locked=True)
    rows = list(candidates.values_list("pk", "attempts")[:size])
    fresh = [pk for pk, attempts in rows if attempts == 0]
    return fresh or [pk for pk, _ in rows[:1]]


def set_aside_exhausted() -> int:
    """Set aside photos whose every attempt ended with their worker's death."""
    exhausted = Photo.objects.claimable().filter(attempts__gte=settings.MAREA_MAX_ATTEMPTS)
    return exhausted.update(
        state=Photo.State.FAILED,
        holder="",
        lease_until=None,
        error="Looking at this photo ended the worker each time. It was set aside; the original "
        "is safe. Retry it when the worker has more memory.",
    )


def renew(holder: str) -> None:
    """Hold everything that `holder` has for longer."""
    Photo.objects.held_by(holder).update(lease_until=_lease())


def still_held(holder: str, photos: Sequence[Photo]) -> set[int]:
    """Ids that `holder` may still write results for; locked until the transaction ends."""
    return set(_held(holder, photos).lock())


def release(holder: str) -> int:
    """Give back what `holder` has not finished, without counting the attempt."""
    return Photo.objects.held_by(holder).update(
        holder="", lease_until=None, attempts=F("attempts") - 1
    )


def set_aside(holder: str, photo: Photo, reason: str) -> None:
    """This photo cannot be looked at, and trying again will not help."""
    _held(holder, [photo]).update(
        state=Photo.State.FAILED, holder="", lease_until=None, error=reason[:500]
    )


def try_again_later(holder: str, photo: Photo, reason: str) -> None:
    """An attempt failed in a way that may pass; the last attempt's reason is kept.

    Nobody takes the photo before a lease's time is over: what was wrong needs time to pass.
    """
    if photo.attempts >= settings.MAREA_MAX_ATTEMPTS:
        set_aside(holder, photo, reason)
    else:
        _held(holder, [photo]).update(holder="", lease_until=_lease(), error=reason[:500])


def retry(photos: PhotoQuerySet) -> int:
    """A person asks for another attempt at photos that were set aside."""
    transaction.on_commit(queue.there_is_work)
    return photos.filter(state=Photo.State.FAILED).update(
        state=Photo.State.WAITING, attempts=0, error="", holder="", lease_until=None
    )


def _lease() -> datetime:
    return timezone.now() + timedelta(seconds=settings.MAREA_LEASE_S)


def _held(holder: str, photos: Sequence[Photo]) -> PhotoQuerySet:
    return Photo.objects.held_by(holder).filter(pk__in=[photo.pk for photo in photos])
