"""Favourites: a person's own mark on a photo."""

from django.db import transaction

from webapp.library.models import PhotoQuerySet


@transaction.atomic
def set_favourite(photos: PhotoQuerySet, value: bool) -> int:
    """Mark photos as favourites or not. Returns how many changed."""
    return photos.exclude(is_favourite=value).update(is_favourite=value)
