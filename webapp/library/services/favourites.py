"""Favourites: a person's own mark on a photo."""

from django.db import transaction

from webapp.library.models import Photo, PhotoQuerySet


@transaction.atomic
def set_favourite(photos: PhotoQuerySet, value: bool) -> int:
    """Mark photos as favourites or not. Returns how many changed."""
    ids = photos.exclude(is_favourite=value).lock()
    return Photo.objects.filter(pk__in=ids).update(is_favourite=value)
