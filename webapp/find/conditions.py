"""Conditions of a query as conditions in SQL."""

from datetime import UTC, date, datetime
from functools import lru_cache

from django.db import connection
from django.db.models import Q

from search import fulltext
from search.query import Condition, DateRange, Field
from vision.vocabulary import search_forms, vocabulary
from webapp.library.models import PhotoQuerySet
from webapp.teach.models import PhotoTag

NOTHING = Q(pk__in=[])


def satisfying(photos: PhotoQuerySet, conditions: tuple[Condition, ...]) -> PhotoQuerySet:
    """Those of `photos` that satisfy all conditions."""
    for condition in conditions:
        wanted = _q(condition)
        photos = photos.exclude(wanted) if condition.negated else photos.filter(wanted)
    return photos


def _q(condition: Condition) -> Q:
    if condition.field is Field.TAG:
        named = Q(tag__name__iexact=condition.value) | Q(tag__name__in=narrower(condition.value))
        tagged = PhotoTag.objects.shown().filter(named)
        return Q(pk__in=tagged.values("photo"))
    if condition.field is Field.CAMERA:
        return Q(camera__icontains=condition.value)
    if condition.field is Field.FAVOURITE:
        return Q(is_favourite=True)
    if condition.field is Field.TAKEN and condition.dates:
        return _taken(condition.dates)
    exact = fulltext.containing(connection, condition.value)
    return NOTHING if exact is None else Q(pk__in=exact)


@lru_cache(maxsize=1_000)
def narrower(name: str) -> tuple[str, ...]:
    """Tags that are meant by `name` as well: `tag:animals` finds what is tagged dog."""
    return tuple(word for word in vocabulary() if name.lower() in search_forms(word))


def _taken(dates: DateRange) -> Q:
    """Days by the camera's clock, which is kept as if it were UTC."""
    q = Q()
    if dates.start:
        q &= Q(shown_at__gte=_midnight(dates.start))
    if dates.end:
        q &= Q(shown_at__lt=_midnight(dates.end))
    return q


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
