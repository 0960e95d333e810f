"""The photo page's way through search results."""

from django.urls import reverse
from django.utils.http import urlencode

from webapp.accounts.models import User
from webapp.find.services import find_photos
from webapp.library.models import Photo
from webapp.library.services.timeline import Neighbours
from webapp.library.trails import Trail

# Neighbours are looked for among so many results; all that a search by text can have.
REACH = 500


def search_trail(user: User, photo: Photo, text: str, *, show_more: bool = False) -> Trail:
    """Through the results for `text`; a photo that is not among them has no neighbours."""
    page = find_photos(user, text, limit=REACH, show_more=show_more)
    query = f"?{urlencode({'q': text, **({'more': '1'} if show_more else {})})}"
    return Trail(
        back_url=f"{reverse('find:page')}{query}#photo-{photo.pk}",
        back_label="Search results",
        neighbours=_neighbours([found.photo.pk for found in page.found], photo.pk),
        query=query,
    )


def _neighbours(ids: list[int], photo_id: int) -> Neighbours:
    if photo_id not in ids:
        return Neighbours()
    place = ids.index(photo_id)
    following = ids[place + 1 : place + 2]
    return Neighbours(
        previous=ids[place - 1] if place else None, next=following[0] if following else None
    )
