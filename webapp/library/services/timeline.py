"""The library in its order: all of it at a glance, and who comes before and after a photo."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from django.db.models import CharField, Q
from django.db.models.functions import Cast, Substr

from webapp.accounts.models import User
from webapp.library.models import Photo, PhotoQuerySet
from webapp.stacks.folding import folded


@dataclass(frozen=True)
class Month:
    """A month's photos, newest first: enough to reserve each one's place on the page."""

    month: str  # "2026-11"
    ids: list[int] = field(default_factory=list)
    ratios: list[int] = field(default_factory=list)  # width / height, percent


@dataclass(frozen=True)
class Neighbours:
    """Ids beside a photo in a list; None at its ends."""

    previous: int | None = None
    next: int | None = None


def timeline(user: User) -> list[Month]:
    """The months of the user's library, newest first, in one query.

    The month is cut from the date's text: SQLite would call Python for each row of a TruncMonth.
    """
    photos = folded(Photo.objects.visible_to(user).in_library(), user).newest_first()
    dated = photos.annotate(month=Substr(Cast("shown_at", CharField()), 1, 7))
    rows = dated.values_list("month", "pk", "width", "height")
    return [_month(name, members) for name, members in groupby(rows, key=lambda row: row[0])]


def _month(name: str, rows: Iterable[tuple[str, int, int, int]]) -> Month:
    month = Month(name)
    for _, photo_id, width, height in rows:
        month.ids.append(photo_id)
        month.ratios.append(100 * width // max(height, 1))
    return month


def neighbours(photos: PhotoQuerySet, photo: Photo) -> Neighbours:
    """The photos before and after `photo` among `photos`, newest first."""
    newer = Q(shown_at__gt=photo.shown_at) | Q(shown_at=photo.shown_at, pk__gt=photo.pk)
    older = Q(shown_at__lt=photo.shown_at) | Q(shown_at=photo.shown_at, pk__lt=photo.pk)
    before = photos.filter(newer).order_by("shown_at", "id")
    after = photos.filter(older).newest_first()
    return Neighbours(
        previous=before.values_list("pk", flat=True).first(),
        next=after.values_list("pk", flat=True).first(),
    )
