"""One action on many photos: from the selection bar, the photo page and the trash."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.views.decorators.http import require_POST

from webapp.accounts.http import SignedInRequest
from webapp.accounts.models import User
from webapp.albums.services import add_photos, inside, remove_photos
from webapp.errors import NotFound
from webapp.find.event_models import SearchDeed
from webapp.find.events import note_deeds
from webapp.find.origins import searched_for
from webapp.library.forms import photo_ids
from webapp.library.models import PhotoQuerySet
from webapp.library.services.claims import retry
from webapp.library.services.favourites import set_favourite
from webapp.library.services.reading import chosen
from webapp.library.services.trash import delete_photos, restore_photos, trash_photos
from webapp.responses import prefers_json, wanted_next
from webapp.teach.models import tagged
from webapp.teach.services import add_tag, reject_tag, tidy_tag

MAX_CHOSEN = 50_000
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
    "tag": Action(
        lambda user, photos, post: add_tag(user, photos, post.get("tag", "")),
        "{photos} tagged.",
        undo="untag",
        changes=lambda photos, post: photos.exclude(
            pk__in=tagged(photos, tidy_tag(post.get("tag", "")))
        ),
        follows_search=SearchDeed.Kind.CORRECTED,
    ),
    "untag": Action(
        lambda user, photos, post: reject_tag(user, photos, post.get("tag", "")),
        "Tag taken off {photos}.",
        follows_search=SearchDeed.Kind.CORRECTED,
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


@require_POST
def bulk(request: SignedInRequest, action: str) -> HttpResponse:
    """Apply `action` to the photos of the form; unknown and foreign ids are left out alike."""
    chosen_action = ACTIONS.get(action)
    if chosen_action is None:
        raise NotFound("There is no such action.")
    count = 0
    undoable: list[int] = []
    ids = photo_ids(request.POST, limit=MAX_CHOSEN)
    for at in range(0, len(ids), BATCH):
        photos = chosen(request.user, ids[at : at + BATCH])
        if chosen_action.undo:
            undoable += chosen_action.changes(photos, request.POST).values_list("pk", flat=True)
        count += chosen_action.apply(request.user, photos, request.POST)
    if chosen_action.follows_search:
        note_deeds(request.user, searched_for(request), ids, chosen_action.follows_search)
    return _answer(request, chosen_action, count, undoable)


def _answer(
    request: SignedInRequest, action: Action, count: int, undoable: list[int]
) -> HttpResponse:
    message = action.told.format(photos="1 photo" if count == 1 else f"{count:,} photos")
    if prefers_json(request):
        undo = {"action": action.undo, "photos": undoable} if undoable else None
        return JsonResponse({"count": count, "message": message, "undo": undo})
    messages.success(request, message)
    return HttpResponseRedirect(wanted_next(request, otherwise="/"))
