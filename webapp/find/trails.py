"""Photo pages walk along the results that they were opened from, and say why theirs is one."""

from django.urls import reverse
from django.utils.http import urlencode

from search.explain import LOOKS_LIKE_IT, satisfied
from search.query import MAX_SCANNED, Query
from search.rank import Hit
from webapp.accounts.models import User
from webapp.find.query.understanding import understand
from webapp.find.services import matching_photos, ranked_hits, similar_photos
from webapp.library.models import Photo
from webapp.library.services.timeline import Neighbours, neighbours
from webapp.library.trails import Trail, Why
from webapp.stacks.folding import folded

SIMILAR = 60  # photos on the page of similar ones


def search_trail(user: User, photo: Photo, text: str, *, show_more: bool = False) -> Trail:
    """Through the results for `text`; a photo that is not among them has no neighbours."""
    text = text[:MAX_SCANNED]
    query = f"?{urlencode({'q': text, **({'more': '1'} if show_more else {})})}"
    beside, why = _among_results(user, photo, understand(user, text), show_more)
    return Trail(
        back_url=f"{reverse('find:page')}{query}#photo-{photo.pk}",
        back_label="Favourites" if text == "is:favourite" else f"“{text}”",
        neighbours=beside,
        query=query,
        why=why,
        asked={"q": text},
    )


def similar_trail(user: User, photo: Photo, original: Photo) -> Trail:
    """Through the photos that look like `original`."""
    similar = similar_photos(user, original, SIMILAR)
    return Trail(
        back_url=f"{reverse('find:similar', args=[original.pk])}#photo-{photo.pk}",
        back_label="Similar photos",
        neighbours=in_list([each.pk for each in similar], photo.pk),
        query=f"?similar={original.pk}",
    )


def _among_results(
    user: User, photo: Photo, query: Query, show_more: bool
) -> tuple[Neighbours, Why | None]:
    if not query.text:  # conditions alone: in the library's order, however many they find
        found = matching_photos(user, query)
        why = Why(satisfied(query)) if found.filter(pk=photo.pk).exists() else None
        return neighbours(folded(found, user), photo), why
    hits = {hit.photo_id: hit for hit in ranked_hits(user, query, show_more=show_more)}
    hit = hits.get(photo.pk)
    why = Why(hit.reasons, _heat_map_url(photo, query, hit), is_guess=True) if hit else None
    return in_list(list(hits), photo.pk), why


def _heat_map_url(photo: Photo, query: Query, hit: Hit) -> str:
    """Empty for a photo that only its words led to: then there is nothing to see on it."""
    if LOOKS_LIKE_IT not in hit.reasons:
        return ""
    return f"{reverse('api:heatmap', args=[photo.pk])}?{urlencode({'q': query.text})}"


def in_list(ids: list[int], photo_id: int) -> Neighbours:
    if photo_id not in ids:
        return Neighbours()
    place = ids.index(photo_id)
    following = ids[place + 1 : place + 2]
    return Neighbours(
        previous=ids[place - 1] if place else None, next=following[0] if following else None
    )
