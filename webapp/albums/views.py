"""The albums, one album, and what can be done with it as a whole.

What concerns single photos of an album goes through `library.views.bulk`, like every action on
selected photos.
"""

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from webapp.accounts.http import SignedInRequest
from webapp.albums.models import MAX_NAME_LENGTH
from webapp.albums.services import (
    album_names,
    albums_of,
    create_album,
    delete_album,
    get_album,
    photos_in,
    rename_album,
)
from webapp.library.cursors import page_of
from webapp.library.models import Photo
from webapp.library.tiles import placeholder_uri, thumbnail_url, tiles_of
from webapp.teach.words import with_words

PAGE = 200


@require_safe
def albums_page(request: SignedInRequest) -> HttpResponse:
    albums = [
        {
            "album": each.album,
            "photos": each.photos,
            "cover": _cover(each.cover),
            "placeholder": placeholder_uri(each.cover) if each.cover else "",
        }
        for each in albums_of(request.user)
    ]
    return render(request, "albums/list.html", {"albums": albums, "longest": MAX_NAME_LENGTH})


@require_safe
def names(request: SignedInRequest) -> JsonResponse:
    """The names to choose from when photos are put into an album."""
    return JsonResponse({"names": album_names(request.user)})


@require_safe
def album_page(request: SignedInRequest, album_id: int) -> HttpResponse:
    album = get_album(request.user, album_id)
    photos = photos_in(request.user, album)
    in_words = with_words(photos, request.user)
    found, next_cursor = page_of(in_words, request.GET.get("cursor", ""), limit=PAGE)
    context = {
        "album": album,
        "count": photos.count(),
        "tiles": tiles_of(found, trail=f"?album={album.pk}"),
        "next": next_cursor,
        "longest": MAX_NAME_LENGTH,
    }
    return render(request, "albums/album.html", context)


@require_POST
def create(request: SignedInRequest) -> HttpResponse:
    album = create_album(request.user, request.POST.get("album", ""))
    return redirect("albums:album", album.pk)


@require_POST
def rename(request: SignedInRequest, album_id: int) -> HttpResponse:
    album = get_album(request.user, album_id)
    rename_album(request.user, album, request.POST.get("album", ""))
    return redirect("albums:album", album.pk)


@require_POST
def delete(request: SignedInRequest, album_id: int) -> HttpResponse:
    """Delete the album; its photos stay."""
    album = get_album(request.user, album_id)
    delete_album(album)
    messages.success(request, f"The album “{album.name}” was deleted. Its photos are still here.")
    return redirect("albums:list")


def _cover(photo: Photo | None) -> str:
    return thumbnail_url(photo, "small") if photo and photo.state == Photo.State.READY else ""
