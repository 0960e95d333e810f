"""Finding photos for a person. Somebody else's photo and none at all are the same answer."""

from collections.abc import Sequence

from webapp.accounts.models import User
from webapp.errors import NotFound
from webapp.library.models import Photo, PhotoQuerySet


def get_photo(user: User, photo_id: int, *, among: PhotoQuerySet | None = None) -> Photo:
    """The photo, in the library or in the trash. Raises `NotFound`.

    `among` adds what to fetch along with it, such as `with_words`.
    """
    photos = Photo.objects.all() if among is None else among
    photo = photos.visible_to(user).filter(pk=photo_id).first()
    if photo is None:
        raise NotFound("There is no such photo.")
    return photo


def chosen(user: User, photo_ids: Sequence[int]) -> PhotoQuerySet:
    """Those of the photos that are the user's; unknown and foreign ids are left out alike."""
    return Photo.objects.visible_to(user).filter(pk__in=photo_ids)
