"""A person's word about one photo: its tags and its caption."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from webapp.accounts.http import HtmxRequest
from webapp.errors import Refused
from webapp.find.event_models import SearchDeed
from webapp.find.events import note_deeds
from webapp.find.origins import searched_for
from webapp.library.models import Photo
from webapp.library.services.reading import chosen, get_photo
from webapp.teach.services import add_tag, reject_tag, write_caption
from webapp.teach.words import caption_of, found_as, tags_of, with_words

SAYS = {"add": add_tag, "remove": reject_tag}


@require_POST
def tag(request: HtmxRequest, photo_id: int) -> HttpResponse:
    """Add or remove the tag of the form; answers with the photo's tags."""
    photo = get_photo(request.user, photo_id)
    say = SAYS.get(request.POST.get("say", ""))
    if say is None:
        raise Refused("A tag is either added or removed. Nothing was changed.", field="say")
    say(request.user, chosen(request.user, [photo.pk]), request.POST.get("tag", ""))
    note_deeds(request.user, searched_for(request), [photo.pk], SearchDeed.Kind.CORRECTED)
    return _show(request, photo, "teach/_tags.html")


@require_POST
def caption(request: HtmxRequest, photo_id: int) -> HttpResponse:
    """Take the caption of the form; an empty one gives the model's back."""
    photo = get_photo(request.user, photo_id)
    write_caption(request.user, photo, request.POST.get("caption", ""))
    note_deeds(request.user, searched_for(request), [photo.pk], SearchDeed.Kind.CORRECTED)
    return _show(request, photo, "teach/_caption.html")


def _show(request: HtmxRequest, photo: Photo, template: str) -> HttpResponse:
    """The changed part of the page, or the page again for browsers without scripts."""
    if not request.htmx:
        return redirect("library:photo", photo.pk)
    photo = get_photo(request.user, photo.pk, among=with_words(Photo.objects.all(), request.user))
    tags = tags_of(photo)
    context: dict[str, Any] = {
        "photo": photo,
        "tags": tags,
        "found_as": found_as(tags),
        "caption": caption_of(photo),
    }
    return render(request, template, context)
