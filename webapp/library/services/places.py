"""Where photos were taken, in words: looked up offline when a photo is added, and by the care
worker for photos that came before."""

import logging
from collections.abc import Sequence

from django.db import transaction

from search.words import split
from webapp.find.index.documents import index_photos
from webapp.library.gazetteer import Where, gazetteer
from webapp.library.models import Photo, Place

logger = logging.getLogger(__name__)

# Of the gazetteer and of how it is read; a higher one has photos looked up again.
VERSION = 1


def place(photo: Photo) -> None:
    """Set the photo's place, if its position is known; it is not saved. Should the gazetteer be
    damaged, the photo stays without and the care worker tries again."""
    if photo.latitude is None or photo.longitude is None:
        return
    try:
        where = gazetteer().where(photo.latitude, photo.longitude)
    except (OSError, ValueError) as error:
        logger.error("gazetteer unreadable reason=%s", error)
        return
    photo.town, photo.region, photo.country = where
    photo.place_version = VERSION


def remember_places(photos: Sequence[Photo]) -> None:
    """Keep the names by which the places of these photos are found; beside saving them."""
    places = {Where(photo.town, photo.region, photo.country) for photo in photos if photo.country}
    Place.objects.bulk_create([_place(where) for where in sorted(places)], ignore_conflicts=True)


def place_photos(limit: int) -> int:
    """Look up up to `limit` photos that nobody has looked up; how many were."""
    photos = list(Photo.objects.unplaced().order_by("pk")[:limit])
    for photo in photos:
        place(photo)
    placed = [photo for photo in photos if photo.place_version]
    with transaction.atomic():
        ids = [photo.pk for photo in placed]
        Photo.objects.filter(pk__in=ids).lock()
        Photo.objects.bulk_update(placed, ["town", "region", "country", "place_version"])
        remember_places(placed)
        index_photos([photo.pk for photo in placed if photo.country])
    return len(placed)


def name_key(name: str) -> str:
    """A place's name as search compares it: `L’Aquila` and `laquila` are the same."""
    return " ".join(split(name))


def _place(where: Where) -> Place:
    return Place(
        town=where.town,
        region=where.region,
        country=where.country,
        town_key=name_key(where.town),
        region_key=name_key(where.region),
        country_key=name_key(where.country),
    )
