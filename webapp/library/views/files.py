"""Originals and thumbnails: bytes that people uploaded, served so that they stay pictures.

The type is what decoding found, never what a name or a browser guesses; a sandbox without any
rights is around them in case a browser opens one as a page.
"""

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from webapp.accounts.http import SignedInRequest
from webapp.errors import NotFound
from webapp.library.file_names import ENDINGS, download_name
from webapp.library.models import Photo
from webapp.library.services.reading import get_photo
from webapp.library.services.thumbnails import SIZES, thumbnail_path
from webapp.library.storage import originals
from webapp.responses import Problem, answer
from workers import queue

# What browsers show themselves; everything else is offered for download.
SHOWN_INLINE = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"})
SANDBOX = "default-src 'none'; frame-ancestors 'none'; sandbox"
ASK_EACH_TIME = "private, no-cache"
KEEP_FOR_EVER = "private, max-age=31536000, immutable"
TRY_AGAIN_S = 5


@require_safe
def original(request: SignedInRequest, photo_id: int) -> HttpResponseBase:
    """The file as it was uploaded; `?download` asks the browser to save it."""
    photo = get_photo(request.user, photo_id)
    etag = f'"{photo.sha256}"'
    known = get_conditional_response(request, etag=etag)
    if known is not None:
        return _guarded(known, etag, ASK_EACH_TIME)
    is_shown = photo.media_type in SHOWN_INLINE and "download" not in request.GET
    try:
        file = originals().open(photo.original_name)
    except FileNotFoundError as error:
        raise NotFound(
            "The file of this photo is missing from the storage. The administrator can look "
            "into it with `manage.py doctor`.",
            code="file_missing",
        ) from error
    response = FileResponse(
        file,
        as_attachment=not is_shown,
        filename=download_name(photo),
        content_type=_media_type(photo),
    )
    return _guarded(response, etag, ASK_EACH_TIME)


@require_safe
def thumbnail(request: SignedInRequest, photo_id: int, size: str) -> HttpResponseBase:
    """A WebP thumbnail, kept by browsers for ever when `?v=` names its content."""
    photo = get_photo(request.user, photo_id)
    if size not in SIZES:
        raise NotFound(f"Thumbnails come in these sizes: {', '.join(SIZES)}.")
    if photo.state == Photo.State.WAITING:  # one that is there is of somebody with the same photo
        return _not_made_yet(request, photo)
    etag = f'"{photo.sha256}-{size}"'
    is_named = request.GET.get("v") == photo.sha256[:12]
    caching = KEEP_FOR_EVER if is_named else ASK_EACH_TIME
    known = get_conditional_response(request, etag=etag)
    if known is not None:
        return _guarded(known, etag, caching)
    try:
        file = thumbnail_path(photo.sha256, size).open("rb")
    except FileNotFoundError:
        return _not_made_yet(request, photo)
    return _guarded(FileResponse(file, content_type="image/webp"), etag, caching)


def _not_made_yet(request: HttpRequest, photo: Photo) -> HttpResponse:
    """Waiting photos get theirs when they are looked at; for others the workers are asked."""
    if photo.state == Photo.State.FAILED:
        raise NotFound("There is no thumbnail, since this photo could not be read.")
    if photo.state == Photo.State.READY:
        queue.remake_thumbnails([photo.pk])
    message = "The thumbnail is being made. Try again in a few seconds."
    response = answer(request, Problem(status=404, code="not_made_yet", message=message))
    response["Retry-After"] = str(TRY_AGAIN_S)
    response["Cache-Control"] = "no-store"
    return response


def _guarded(response: HttpResponseBase, etag: str, caching: str) -> HttpResponseBase:
    response["ETag"] = etag
    response["Cache-Control"] = caching
    response["Content-Security-Policy"] = SANDBOX
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _media_type(photo: Photo) -> str:
    """The recorded type if it is one that we accept: a row must not make us serve HTML."""
    return photo.media_type if photo.media_type in ENDINGS else "application/octet-stream"
