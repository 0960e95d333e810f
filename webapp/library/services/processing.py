"""How far looking at photos is: counts, pace, workers and what was set aside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Q
from django.utils import timezone

from webapp.accounts.models import User
from webapp.library.models import Photo, PhotoQuerySet
from webapp.teach.models import Sight

RECENT = timedelta(minutes=2)  # what the pace is measured over
RECENT_SIGHTS = 1_000  # at most so many, newest first; they come by primary key
SAME_BATCH = timedelta(seconds=0.5)  # results of one pass are stored together


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A user's photos by how far they are; the counts leave the trash out."""

    waiting: int  # for a worker
    looking: int  # held by one now
    stalled: int  # of those: held by one that has not renewed its lease in time
    ready: int
    failed: int
    photos_per_s: float | None  # None until two batches were stored within `RECENT`

    @property
    def total(self) -> int:
        return self.waiting + self.looking + self.ready + self.failed

    @property
    def unfinished(self) -> int:
        return self.waiting + self.looking

    @property
    def finished(self) -> int:
        return self.ready + self.failed

    @property
    def left_s(self) -> float | None:
        """Seconds until nothing waits, at the present pace."""
        return self.unfinished / self.photos_per_s if self.photos_per_s else None


def progress_of(user: User) -> Progress:
    """Numbers from the user's photos and the pace from their latest sights: two queries."""
    now = timezone.now()
    waiting = Q(state=Photo.State.WAITING)
    held = waiting & ~Q(holder="") & Q(lease_until__gte=now)
    stalled = held & Q(lease_until__lt=now + timedelta(seconds=settings.MAREA_LEASE_S) / 2)
    counts = (
        Photo.objects.visible_to(user)
        .in_library()
        .aggregate(
            unfinished=Count("pk", filter=waiting),
            looking=Count("pk", filter=held),
            stalled=Count("pk", filter=stalled),
            ready=Count("pk", filter=Q(state=Photo.State.READY)),
            failed=Count("pk", filter=Q(state=Photo.State.FAILED)),
        )
    )
    return Progress(
        waiting=counts["unfinished"] - counts["looking"],
        looking=counts["looking"],
        stalled=counts["stalled"],
        ready=counts["ready"],
        failed=counts["failed"],
        photos_per_s=pace(_recent_sights(user, now)),
    )


def pace(stored_at: Sequence[datetime]) -> float | None:
    """Photos a second, from when their results were stored.

    The first batch only starts the clock: when its work began is not known.
    """
    if not stored_at:
        return None
    start, end = min(stored_at), max(stored_at)
    later = sum(1 for moment in stored_at if moment - start > SAME_BATCH)
    return later / (end - start).total_seconds() if later else None


def set_aside(user: User) -> PhotoQuerySet:
    """The user's photos that could not be looked at, newest first."""
    failed = Photo.objects.visible_to(user).in_library().filter(state=Photo.State.FAILED)
    return failed.order_by("-pk")


def _recent_sights(user: User, now: datetime) -> list[datetime]:
    newest = Sight.objects.order_by("-pk").values_list("created_at", "photo__owner_id")
    return [
        created_at
        for created_at, owner_id in newest[:RECENT_SIGHTS]
        if owner_id == user.pk and created_at > now - RECENT
    ]
