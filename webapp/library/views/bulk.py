"""One action on many photos: from the selection bar, the photo page and the trash."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.views.decorators.http import require_POST

from webapp.accounts.http import SignedInRequest
from webapp.accounts.models import User
from webapp.albums.services import add_photos, inside, remove_photos
from webapp.errors import NotFound
from webapp.find.history.events import note_deeds
from webapp.find.history.models import SearchDeed
from webapp.find.history.origins import searched_for
from webapp.library.forms import photo_ids
from webapp.library.models import PhotoQuerySet
from webapp.library.services.claims import retry
from webapp.library.services.favourites import set_favourite
from webapp.library.services.reading import chosen
from webapp.library.services.trash import delete_photos, restore_photos, trash_photos
from webapp.responses import prefers_json, wanted_next
from webapp.teach.corrections.saying import Said, add_tag, confirm_tag, reject_tag, rename_tag

MAX_CHOSEN = 50_000
MAX_SAID = 20_000  # photos of one act: it is one transaction, for which other writers wait
BATCH = 1_000  # ids in one statement; SQLite takes at most 32,766 parameters


@dataclass(frozen=True)
class Action:
    """`apply` does it and returns how many photos it concerned; `told` says so.

    `undo` is the action that takes it back from those that it `changes`: what was a favourite
    before it was marked as one again stays a favourite.
    """

    apply: Callable[[User, PhotoQuerySet, QueryDict], int]
    told: str
    undo: str = ""
    changes: Callable[[PhotoQuerySet, QueryDict], PhotoQuerySet] = lambda photos, post: photos
    follows_search: SearchDeed.Kind | None = None  # what it says of the results it was done to


ACTIONS = {
    "favourite": Action(
        lambda user, photos, post: set_favourite(photos, True),
        "{photos} marked as favourite.",
        undo="unfavourite",
        changes=lambda photos, post: photos.filter(is_favourite=False),
        follows_search=SearchDeed.Kind.FAVOURITED,
    ),
    "unfavourite": Action(
        lambda user, photos, post: set_favourite(photos, False),
        "{photos} no longer marked as favourite.",
        undo="favourite",
        changes=lambda photos, post: photos.filter(is_favourite=True),
    ),
    "album": Action(
        lambda user, photos, post: add_photos(user, photos, post.get("album", "")),
        "{photos} put into the album.",
        undo="unalbum",
        changes=lambda photos, post: photos.exclude(pk__in=inside(photos, post.get("album", ""))),
    ),
    "unalbum": Action(
        lambda user, photos, post: remove_photos(user, photos, post.get("album", "")),
        "{photos} taken out of the album.",
        undo="album",
        changes=lambda photos, post: inside(photos, post.get("album", "")),
    ),
    "trash": Action(
        lambda user, photos, post: trash_photos(photos),
        "{photos} moved to the trash.",
        undo="restore",
        changes=lambda photos, post: photos.in_library(),
    ),
    "restore": Action(
        lambda user, photos, post: restore_photos(photos),
        "{photos} restored.",
        undo="trash",
        changes=lambda photos, post: photos.in_trash(),
    ),
    "delete": Action(
        lambda user, photos, post: delete_photos(photos), "{photos} deleted for good."
    ),
    "retry": Action(
        lambda user, photos, post: retry(photos), "{photos} waiting for another attempt."
    ),
}


@dataclass(frozen=True)
class Word:
    """Something that a person says of photos: an act that is taken back as a whole."""

    say: Callable[[User, PhotoQuerySet, QueryDict, UUID], Said]
    told: str


WORDS = {
    "tag": Word(
        lambda user, photos, post, act: add_tag(user, photos, post.get("tag", ""), act=act),
        "{photos} tagged.",
    ),
    "untag": Word(
        lambda user, photos, post, act: reject_tag(user, photos, post.get("tag", ""), act=act),
        "Tag taken off {photos}.",
    ),
    "confirm": Word(
        lambda user, photos, post, act: confirm_tag(user, photos, post.get("tag", ""), act=act),
        "Tag confirmed on {photos}.",
    ),
    "rename": Word(
        lambda user, photos, post, act: rename_tag(
            user, photos, post.get("tag", ""), post.get("new", ""), act=act
        ),
        "Tag renamed on {photos}.",
    ),
}


@require_POST
def bulk(request: SignedInRequest, action: str) -> HttpResponse:
    """Apply `action` to the photos of the form; unknown and foreign ids are left out alike."""
    word = WORDS.get(action)
    ids = photo_ids(request.POST, limit=MAX_SAID if word else MAX_CHOSEN)
    if word:
        return _say(request, word, ids)
    chosen_action = ACTIONS.get(action)
    if chosen_action is None:
        raise NotFound("There is no such action.")
    count = 0
    undoable: list[int] = []
    for photos in _batches(request.user, ids):
        if chosen_action.undo:
            undoable += chosen_action.changes(photos, request.POST).values_list("pk", flat=True)
        count += chosen_action.apply(request.user, photos, request.POST)
    if chosen_action.follows_search:
        note_deeds(request.user, searched_for(request), ids, chosen_action.follows_search)
    undo = {"action": chosen_action.undo, "photos": undoable} if undoable else None
    return _answer(request, chosen_action.told, count, undo)


def _say(request: SignedInRequest, word: Word, ids: list[int]) -> HttpResponse:
    """One act, in one transaction: said of all the photos or of none."""
    act = uuid4()
    with transaction.atomic():
        said = [
            word.say(request.user, photos, request.POST, act)
            for photos in _batches(request.user, ids)
        ]
    note_deeds(request.user, searched_for(request), ids, SearchDeed.Kind.CORRECTED)
    count = sum(each.photos for each in said)
    return _answer(request, word.told, count, {"act": str(act), "photos": ids} if count else None)


def _batches(user: User, ids: list[int]) -> Iterator[PhotoQuerySet]:
    for at in range(0, len(ids), BATCH):
        yield chosen(user, ids[at : at + BATCH])


def _answer(
    request: SignedInRequest, told: str, count: int, undo: dict[str, Any] | None
) -> HttpResponse:
    message = told.format(photos="1 photo" if count == 1 else f"{count:,} photos")
    if prefers_json(request):
        return JsonResponse({"count": count, "message": message, "undo": undo})
    messages.success(request, message)
    return HttpResponseRedirect(wanted_next(request, otherwise="/"))
