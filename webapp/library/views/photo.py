"""The page of one photo."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from webapp.accounts.http import HtmxRequest
from webapp.albums.models import MAX_NAME_LENGTH
from webapp.albums.services import album_names, albums_with, get_album
from webapp.albums.trails import album_trail
from webapp.find.by_example.trail import like_trail
from webapp.find.history.events import note_opened
from webapp.find.history.wishes import Wish
from webapp.find.trails import search_trail, similar_trail
from webapp.library.forms import as_id
from webapp.library.models import Photo
from webapp.library.services.reading import chosen, get_photo
from webapp.library.tiles import placeholder_uri, thumbnail_url
from webapp.library.trails import Trail, library_trail
from webapp.library.views.files import SHOWN_INLINE
from webapp.teach.corrections.heard import shown_about
from webapp.teach.words import alternative_text, text_in, with_words


@require_safe
@vary_on_headers("HX-Request")
def photo_page(request: HtmxRequest, photo_id: int) -> HttpResponse:
    photos = Photo.objects.select_related("folder")
    with_text = with_words(photos, request.user, read=True)
    photo = get_photo(request.user, photo_id, among=with_text)
    trail = _trail(request, photo)
    context = shown_about(request.user, photo) | {
        "query_text": request.GET.get("q", ""),
        "trail": trail,
        "can_mark": _note_opened(request, photo, trail),
        "preload": _thumbnails(request, trail),
        "text": text_in(photo),
        "albums": albums_with(request.user, photo),
        "album_names": album_names(request.user),
        "longest_album_name": MAX_NAME_LENGTH,
        "folders": _folders(photo),
        "alt": alternative_text(photo),
        "placeholder": placeholder_uri(photo),
        "large": thumbnail_url(photo, "large") if photo.state == Photo.State.READY else "",
        "is_shown_by_browsers": photo.media_type in SHOWN_INLINE,
        "megapixels": round(photo.width * photo.height / 1e6, 1),
        "map_url": _map_url(photo),
        "similar_url": reverse("find:similar", args=[photo.pk]),
        "trash_days": settings.MAREA_TRASH_DAYS,
    }
    template = "library/_photo.html" if request.htmx else "library/photo.html"
    return render(request, template, context)


def _trail(request: HtmxRequest, photo: Photo) -> Trail:
    """The list that the address names: search results, similar photos, else the library."""
    text, original_id = request.GET.get("q", ""), as_id(request.GET.get("similar", ""))
    if photo.trashed_at is None and (like := like_trail(request.user, photo, request.GET)):
        return like
    if photo.trashed_at is None and text:
        return search_trail(request.user, photo, text, show_more="more" in request.GET)
    if photo.trashed_at is None and original_id is not None:
        return similar_trail(request.user, photo, get_photo(request.user, original_id))
    if photo.trashed_at is None and (album_id := as_id(request.GET.get("album", ""))):
        return album_trail(request.user, photo, get_album(request.user, album_id))
    return library_trail(request.user, photo)


def _note_opened(request: HtmxRequest, photo: Photo, trail: Trail) -> bool:
    """Remember that a result was opened; htmx walks on from there, which says less. Returns
    whether it may be marked as not meant."""
    if trail.why is None:
        return False
    wish = Wish(request.GET.get("q", ""), trail.examples)
    is_kept = note_opened(request.user, wish, photo.pk, is_result=not request.htmx)
    return is_kept and trail.why.is_guess


def _thumbnails(request: HtmxRequest, trail: Trail) -> list[str]:
    """The large thumbnails of the neighbours, for the browser to fetch ahead."""
    ids = [pk for pk in (trail.neighbours.next, trail.neighbours.previous) if pk]
    ready = chosen(request.user, ids).filter(state=Photo.State.READY)
    return [thumbnail_url(neighbour, "large") for neighbour in ready]


def _folders(photo: Photo) -> list[str]:
    """The names of the folders that it came in, the outermost first."""
    folder = getattr(photo, "folder", None)
    return folder.path.split("/") if folder else []


def _map_url(photo: Photo) -> str:
    """The place on OpenStreetMap; opened by a click only, so that nobody is told unasked."""
    if photo.latitude is None or photo.longitude is None:
        return ""
    place = f"{photo.latitude:.5f}", f"{photo.longitude:.5f}"
    return "https://www.openstreetmap.org/?mlat={0}&mlon={1}#map=15/{0}/{1}".format(*place)
