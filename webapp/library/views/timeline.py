"""The library page: a first page that works as it is, and the JSON from which it grows."""

from dataclasses import asdict

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from webapp.accounts.http import SignedInRequest
from webapp.library.cursors import page_of
from webapp.library.forms import photo_ids
from webapp.library.models import Photo
from webapp.library.services.reading import chosen
from webapp.library.services.timeline import timeline
from webapp.library.tiles import tiles_of
from webapp.stacks.folding import counted, folded
from webapp.teach.words import with_words

FIRST_PAGE = 60  # tiles in the page itself: a screenful on a large display
MAX_TILES = 200  # in one answer


@require_safe
def library_page(request: SignedInRequest) -> HttpResponse:
    mine = folded(Photo.objects.visible_to(request.user).in_library(), request.user)
    photos = counted(with_words(mine, request.user), request.user)
    found, next_cursor = page_of(photos, request.GET.get("cursor", ""), limit=FIRST_PAGE)
    tiles = tiles_of(found)
    context = {"tiles": tiles, "first_tiles": [asdict(tile) for tile in tiles], "next": next_cursor}
    return render(request, "library/page.html", context)


@require_safe
@gzip_page
def months(request: SignedInRequest) -> JsonResponse:
    """Every photo's place in the library, newest first, by month."""
    return JsonResponse({"months": [vars(month) for month in timeline(request.user)]})


@require_safe
@gzip_page
def tiles(request: SignedInRequest) -> JsonResponse:
    """The tiles of `?photos=1,2,3`; unknown and foreign ids are left out alike."""
    photos = chosen(request.user, photo_ids(request.GET, limit=MAX_TILES)).in_library()
    found = tiles_of(counted(with_words(photos, request.user), request.user))
    return JsonResponse({"tiles": [asdict(tile) for tile in found]})
