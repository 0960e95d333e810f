"""The trash: what will be deleted when, and the way back."""

import math
from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from webapp.accounts.http import SignedInRequest
from webapp.library.cursors import page_of
from webapp.library.models import Photo
from webapp.library.services.trash import empty_trash
from webapp.library.tiles import Tile
from webapp.teach.words import with_words

PAGE = 200


@require_safe
def trash_page(request: SignedInRequest) -> HttpResponse:
    photos = Photo.objects.visible_to(request.user).in_trash()
    photos_in_words = with_words(photos, request.user)
    found, next_cursor = page_of(photos_in_words, request.GET.get("cursor", ""), limit=PAGE)
    context = {
        "tiles": [Tile.of(photo, reasons=_time_left(photo)) for photo in found],
        "count": photos.count(),
        "days": settings.MAREA_TRASH_DAYS,
        "next": next_cursor,
    }
    return render(request, "library/trash.html", context)


@require_POST
def empty(request: SignedInRequest) -> HttpResponse:
    """Delete everything in one's trash for good."""
    count = empty_trash(request.user)
    messages.success(request, f"{count:,} photo{'' if count == 1 else 's'} deleted for good.")
    return redirect("library:trash")


def _time_left(photo: Photo) -> str:
    if photo.trashed_at is None:
        return ""
    left = photo.trashed_at + timedelta(days=settings.MAREA_TRASH_DAYS) - timezone.now()
    days = math.ceil(left / timedelta(days=1))
    if days < 1:
        return "Deleted for good soon"
    return "1 day left" if days == 1 else f"{days} days left"
