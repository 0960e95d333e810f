"""Conditions of a query as conditions in SQL."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache

from django.conf import settings
from django.db import connection
from django.db.models import F, Q
from django.db.models.lookups import In

from search import fulltext
from search.query import Condition, DateRange, Field, Recurring
from vision.vocabulary import search_forms, vocabulary
from webapp.albums.models import AlbumPhoto
from webapp.find.query.clock import ClockPart
from webapp.library.file_names import SCREENSHOT_NAMES
from webapp.library.models import PhotoQuerySet, Place
from webapp.library.services.places import name_key
from webapp.teach.models import PhotoTag, Sight
from webapp.teach.text_models import ReadText
from webapp.teach.versions.active import active_version

NOTHING = Q(pk__in=[])
PANORAMA = 2  # so many times as wide as high, or as high as wide

_SHAPES = {
    "portrait": Q(height__gt=F("width")),
    "landscape": Q(width__gt=F("height")),
    "square": Q(width=F("height")),
    "panorama": Q(width__gte=F("height") * PANORAMA) | Q(height__gte=F("width") * PANORAMA),
}


def satisfying(photos: PhotoQuerySet, conditions: tuple[Condition, ...]) -> PhotoQuerySet:
    """Those of `photos` that satisfy all conditions."""
    for condition in conditions:
        wanted = _READ[condition.field](condition)
        photos = photos.exclude(wanted) if condition.negated else photos.filter(wanted)
    return photos


def _words(condition: Condition) -> Q:
    exact = fulltext.containing(connection, condition.value, table=active_version().table)
    return NOTHING if exact is None else Q(pk__in=exact)


def _shows(condition: Condition) -> Q:
    """A tag with its synonyms and narrower words, or any of these words in any text."""
    worded = fulltext.having(connection, other_words(condition.value), table=active_version().table)
    return _tag(condition) if worded is None else _tag(condition) | Q(pk__in=worded)


def _tag(condition: Condition) -> Q:
    named = Q(tag__name__iexact=condition.value) | Q(tag__name__in=narrower(condition.value))
    return Q(pk__in=PhotoTag.objects.shown().filter(named).values("photo"))


@lru_cache(maxsize=1_000)
def narrower(name: str) -> tuple[str, ...]:
    """Tags that are meant by `name` as well: `tag:animals` finds what is tagged dog."""
    return tuple(word for word in vocabulary() if name.lower() in search_forms(word))


@lru_cache(maxsize=1_000)
def other_words(name: str) -> tuple[str, ...]:
    """`name`, the words that are meant by it as well, and their synonyms: of people woman, lady…"""
    words = vocabulary()
    meant = [words[each] for each in (name.lower(), *narrower(name)) if each in words]
    forms = (form for word in meant for form in (word.name, *word.synonyms))
    return tuple(dict.fromkeys([name, *forms]))


def _camera(condition: Condition) -> Q:
    return Q(camera__icontains=condition.value)


def _place(condition: Condition) -> Q:
    """In a town, region or country of that name, or that begins with it: `place:frankfurt`."""
    key = name_key(condition.value)
    return Place.photos_called(key) if key else NOTHING


def _album(condition: Condition) -> Q:
    there = AlbumPhoto.objects.filter(album__name__iexact=condition.value)
    return Q(pk__in=there.values("photo"))


def _type(condition: Condition) -> Q:
    if condition.value in _SHAPES:
        return _SHAPES[condition.value]
    if condition.value == "screenshot":
        named = Q()
        for name in SCREENSHOT_NAMES:
            named |= Q(file_name__icontains=name)
        return named
    if condition.value == "raw":
        return Q(media_type__startswith="image/x-")  # none is taken yet; see vision.decoding
    return Q(media_type=f"image/{condition.value}")


def _has(condition: Condition) -> Q:
    if condition.value == "place":
        return Q(latitude__isnull=False, longitude__isnull=False)
    if condition.value == "tags":
        return Q(pk__in=PhotoTag.objects.shown().values("photo"))
    if condition.value == "caption":
        sure = Sight.objects.of_active_version().exclude(caption="")
        sure = sure.filter(caption_confidence__gte=settings.MAREA_CAPTION_CONFIDENCE)
        return ~Q(own_caption="") | Q(pk__in=sure.values("photo"))
    return Q(pk__in=ReadText.objects.exclude(text="").values("photo"))


def _favourite(condition: Condition) -> Q:
    return Q(is_favourite=True)


def _taken(condition: Condition) -> Q:
    return _between(condition.dates) if condition.dates else NOTHING


def _between(dates: DateRange) -> Q:
    """Days by the camera's clock, which is kept as if it were UTC."""
    q = Q()
    if dates.start:
        q &= Q(shown_at__gte=_midnight(dates.start))
    if dates.end:
        q &= Q(shown_at__lt=_midnight(dates.end))
    return q


def _every(condition: Condition) -> Q:
    return _recurring(condition.recurring) if condition.recurring else NOTHING


def _recurring(days: Recurring) -> Q:
    if days.weekdays:
        return Q(In(ClockPart("shown_at", part="weekday"), days.weekdays))
    q = Q(In(ClockPart("shown_at", part="month"), days.months))
    if (days.first, days.last) == (1, 31):
        return q
    return q & Q(In(ClockPart("shown_at", part="day"), range(days.first, days.last + 1)))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


_READ: dict[Field, Callable[[Condition], Q]] = {
    Field.WORDS: _words,
    Field.SHOWS: _shows,
    Field.TAG: _tag,
    Field.CAMERA: _camera,
    Field.PLACE: _place,
    Field.ALBUM: _album,
    Field.TYPE: _type,
    Field.HAS: _has,
    Field.FAVOURITE: _favourite,
    Field.TAKEN: _taken,
    Field.EVERY: _every,
}
