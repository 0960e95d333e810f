"""A person's word about photos: their tags and captions, and taking it back."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from webapp.accounts.http import HtmxRequest, SignedInRequest
from webapp.accounts.models import User
from webapp.errors import Refused
from webapp.find.history.events import note_deeds
from webapp.find.history.models import SearchDeed
from webapp.find.history.origins import searched_for
from webapp.library.forms import as_id, photo_ids
from webapp.library.models import Photo, PhotoQuerySet
from webapp.library.services.reading import chosen, get_photo
from webapp.responses import prefers_json, wanted_next
from webapp.teach.corrections import saying
from webapp.teach.corrections.heard import shown_about
from webapp.teach.corrections.saying import Said
from webapp.teach.services import tags_on
from webapp.teach.words import with_words

MAX_ASKED = 1_000  # photos whose tags are offered for a choice


@dataclass(frozen=True)
class Word:
    """What can be said about a tag of one photo, and the sentence that follows."""

    say: Callable[[User, PhotoQuerySet, str, str], Said]
    told: str


WORDS = {
    "add": Word(lambda user, photos, tag, _: saying.add_tag(user, photos, tag), "Tagged."),
    "remove": Word(
        lambda user, photos, tag, _: saying.reject_tag(user, photos, tag), "Tag taken off."
    ),
    "confirm": Word(
        lambda user, photos, tag, _: saying.confirm_tag(user, photos, tag), "Tag confirmed."
    ),
    "rename": Word(saying.rename_tag, "Tag renamed."),
}


@require_POST
def tag(request: HtmxRequest, photo_id: int) -> HttpResponse:
    """Say something about a tag of the photo; answers with what is shown about it then."""
    photo = get_photo(request.user, photo_id)
    word = WORDS.get(request.POST.get("say", ""))
    if word is None:
        raise Refused(
            "A tag is added, removed, confirmed or renamed. Nothing was changed.", field="say"
        )
    names = request.POST.get("tag", ""), request.POST.get("new", "")
    said = word.say(request.user, chosen(request.user, [photo.pk]), *names)
    _note_corrected(request, photo)
    return _show(request, photo, word.told, said)


@require_POST
def caption(request: HtmxRequest, photo_id: int) -> HttpResponse:
    """Take the caption of the form; an empty one gives the model's back."""
    photo = get_photo(request.user, photo_id)
    said = saying.write_caption(request.user, photo, request.POST.get("caption", ""))
    _note_corrected(request, photo)
    return _show(request, photo, "Caption saved.", said)


@require_POST
def undo(request: HtmxRequest, act: UUID) -> HttpResponse:
    """Take an act back. From a photo's page, answers with what is shown about that photo then."""
    back = saying.undo(request.user, act)
    photo_id = as_id(request.POST.get("photo", ""))
    if photo_id is not None and request.htmx:
        return _show(request, get_photo(request.user, photo_id), "Taken back.")
    message = "Taken back." if back.photos == 1 else f"Taken back on {back.photos:,} photos."
    if prefers_json(request):
        return JsonResponse({"count": back.photos, "message": message})
    messages.success(request, message)
    return redirect(wanted_next(request, otherwise="library:page"))


@require_safe
def tags(request: SignedInRequest) -> JsonResponse:
    """The tags of the photos named by `?photos=`, most frequent first, to choose from."""
    ids = photo_ids(request.GET, limit=MAX_ASKED)
    return JsonResponse({"names": tags_on(chosen(request.user, ids))})


def _note_corrected(request: HtmxRequest, photo: Photo) -> None:
    note_deeds(request.user, searched_for(request), [photo.pk], SearchDeed.Kind.CORRECTED)


def _show(
    request: HtmxRequest, photo: Photo, message: str, said: Said | None = None
) -> HttpResponse:
    """The changed parts of the page, or the page again for browsers without scripts."""
    if not request.htmx:
        messages.success(request, message)
        return redirect("library:photo", photo.pk)
    photo = get_photo(request.user, photo.pk, among=with_words(Photo.objects.all(), request.user))
    response = render(request, "teach/_said_answer.html", shown_about(request.user, photo))
    told = {"message": message, "act": str(said.act) if said and said.photos else ""}
    response["HX-Trigger"] = json.dumps({"marea:said": told})
    return response
