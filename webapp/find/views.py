"""The search page, and the photos like one photo."""

from dataclasses import asdict

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from search.query import MAX_SCANNED
from search.query.model import Field
from webapp.accounts.http import HtmxRequest, SignedInRequest
from webapp.accounts.models import User
from webapp.errors import UserError
from webapp.find.by_example.examples import Examples
from webapp.find.by_example.views import like_page
from webapp.find.forms import FindForm
from webapp.find.history.events import note_search
from webapp.find.query import completion
from webapp.find.query.chips import chips_of
from webapp.find.results import Found, SearchPage
from webapp.find.services import (
    find_photos,
    has_photos,
    similar_photos,
    suggestions,
    years_of,
)
from webapp.find.trails import SIMILAR
from webapp.library.models import Photo
from webapp.library.services.reading import get_photo
from webapp.library.tiles import Tile, tiles_of
from webapp.teach.words import alternative_text, with_words

STRIP = 6  # similar photos beside a photo


@require_safe
@vary_on_headers("HX-Request")
def find_page(request: HtmxRequest) -> HttpResponse:
    """Results for `?q=`; as a page, as its results alone, or (from `?offset=`) as further tiles."""
    form = FindForm(request.GET)
    if not form.is_valid():
        raise UserError("This is no page of search results. Search again from the start.")
    text, more = request.GET.get("q", "")[:MAX_SCANNED], form.cleaned_data["more"]
    offset = form.cleaned_data["offset"] or 0
    template = _template(request, offset)
    if like := like_page(request, text, offset=offset, more=more, template=template):
        return like
    page = find_photos(request.user, text, offset=offset, show_more=more)
    note_search(request.user, text, page, offset=offset)
    context = {
        "query_text": text,
        "page": page,
        "can_mark": bool(page.query.text and page.memory.is_kept),
        "tiles": _tiles(page, text, more, offset),
        "chips": chips_of(page.query, lambda query: _url(query, more)),
        "next_url": _url(text, more, page.next_offset) if page.next_offset else "",
        "more_url": _url(text, True) if page.hidden else "",
        "suggestions": suggestions(request.user) if not page.confident else [],
        "is_empty": not page.total and not has_photos(request.user),
        "years": "" if page.total else _years(request.user, page),
        "better": "" if page.confident else completion.better_spelled(request.user, page.query),
    }
    return render(request, template, context)


@require_safe
def completions(request: SignedInRequest) -> JsonResponse:
    """What the search box offers for what is typed, `?q=`."""
    found = completion.completions(request.user, request.GET.get("q", ""))
    return JsonResponse({"completions": [asdict(each) for each in found]})


@require_safe
@vary_on_headers("HX-Request")
def similar(request: HtmxRequest, photo_id: int) -> HttpResponse:
    """The photos that look most like this one: a page, or a strip beside the photo."""
    photo = get_photo(request.user, photo_id, among=with_words(Photo.objects.all(), request.user))
    found = similar_photos(request.user, photo, STRIP if request.htmx else SIMILAR)
    context = {
        "photo": photo,
        "alt": alternative_text(photo),
        "tiles": tiles_of(found, trail=f"?similar={photo.pk}"),
        "example_fields": Examples([photo]).fields,  # words in the search box add to it
    }
    return render(request, "find/_strip.html" if request.htmx else "find/similar.html", context)


def _tiles(page: SearchPage, text: str, more: bool, offset: int) -> list[Tile]:
    """Tiles with their reasons; where conditions alone were asked, all would have the same."""
    trail = f"?{_query_string(text, more)}"
    return [
        Tile.of(found.photo, trail=trail, reasons=_reasons(page, found, rank))
        for rank, found in enumerate(page.found, start=offset)
    ]


def _years(user: User, page: SearchPage) -> str:
    """When the user's photos are from, where nothing is from when was asked for."""
    asked = any(condition.field is Field.TAKEN for condition in page.query.conditions)
    return years_of(user) if asked else ""


def _reasons(page: SearchPage, found: Found, rank: int) -> str:
    if not page.query.text or not page.confident:
        return ""
    return " · ".join(found.reasons) if rank < page.confident else "less likely"


def _template(request: HtmxRequest, offset: int) -> str:
    """Going back in the browser's history asks through htmx for the whole page."""
    if not request.htmx or request.htmx.history_restore_request:
        return "find/page.html"
    return "find/_tiles.html" if offset else "find/_results.html"


def _url(text: str, more: bool, offset: int | None = None) -> str:
    place = f"&offset={offset}" if offset else ""
    return f"{reverse('find:page')}?{_query_string(text, more)}{place}"


def _query_string(text: str, more: bool) -> str:
    return urlencode({"q": text, **({"more": "1"} if more else {})})
