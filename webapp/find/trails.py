"""Photo pages walk along the results that they were opened from."""

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from search.query import parse
from webapp.accounts.models import User
from webapp.find.conditions import satisfying
from webapp.find.services import CANDIDATES, find_photos, similar_photos
from webapp.library.models import Photo
from webapp.library.services.timeline import Neighbours, neighbours
from webapp.library.trails import Trail

SIMILAR = 60  # photos on the page of similar ones


def search_trail(user: User, photo: Photo, text: str, *, show_more: bool = False) -> Trail:
    """Through the results for `text`; a photo that is not among them has no neighbours."""
    query = f"?{urlencode({'q': text, **({'more': '1'} if show_more else {})})}"
    return Trail(
        back_url=f"{reverse('find:page')}{query}#photo-{photo.pk}",
        back_label="Favourites" if text == "is:favourite" else f"“{text}”",
        neighbours=_among_results(user, photo, text, show_more),
        query=query,
    )


def similar_trail(user: User, photo: Photo, original: Photo) -> Trail:
    """Through the photos that look like `original`."""
    similar = similar_photos(user, original, SIMILAR)
    return Trail(
        back_url=f"{reverse('find:similar', args=[original.pk])}#photo-{photo.pk}",
        back_label="Similar photos",
        neighbours=_in_list([each.pk for each in similar], photo.pk),
        query=f"?similar={original.pk}",
    )


def _among_results(user: User, photo: Photo, text: str, show_more: bool) -> Neighbours:
    query = parse(text, timezone.localdate())
    if not query.text:  # conditions alone: in the library's order, however many they find
        visible = Photo.objects.visible_to(user).searchable()
        return neighbours(satisfying(visible, query.conditions), photo)
    page = find_photos(user, text, limit=CANDIDATES, show_more=show_more)
    return _in_list([found.photo.pk for found in page.found], photo.pk)


def _in_list(ids: list[int], photo_id: int) -> Neighbours:
    if photo_id not in ids:
        return Neighbours()
    place = ids.index(photo_id)
    following = ids[place + 1 : place + 2]
    return Neighbours(
        previous=ids[place - 1] if place else None, next=following[0] if following else None
    )
