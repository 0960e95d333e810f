"""One's own search history: to read, to switch off, to erase; and “not what I searched for”."""

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from webapp.accounts.http import SignedInRequest
from webapp.errors import NotFound, Refused
from webapp.find.by_example.examples import wish_of
from webapp.find.history import events
from webapp.find.history.memory import keeps_history, key_of_wish
from webapp.find.history.past import marks, past_queries
from webapp.library.forms import photo_ids
from webapp.responses import prefers_json, wanted_next

PAGE = 50
MAX_MARKED = 500


@require_safe
def history(request: SignedInRequest) -> HttpResponse:
    """What was searched for, newest first, with what followed."""
    pages = Paginator(past_queries(request.user), PAGE)
    context = {
        "page": pages.get_page(request.GET.get("page")),
        "marks": marks(request.user),
        "days": settings.MAREA_HISTORY_DAYS,
        "is_kept": keeps_history(request.user),
    }
    return render(request, "find/history.html", context)


@require_POST
def choose(request: SignedInRequest) -> HttpResponse:
    is_kept = request.POST.get("keep") == "yes"
    events.choose_history(request.user, is_kept)
    said = "From now on Marea remembers your searches." if is_kept else (
        "Nothing about your searches is written down from now on. What is there already stays "
        "until you erase it."
    )  # fmt: skip
    messages.success(request, said)
    return redirect("find:history")


@require_POST
def erase(request: SignedInRequest) -> HttpResponse:
    """All of it, or all about the one query that is named by its `key`."""
    key = request.POST.get("key", "")
    if not key and request.POST.get("all") != "yes":
        raise Refused("Say what to erase: one query, or all. Nothing was erased.", field="key")
    erased = events.erase(request.user, key)
    if key and not erased:
        raise NotFound("There is no such search in your history.")
    messages.success(request, "Erased." if key else "Your search history is erased.")
    return redirect("find:history")


@require_POST
def not_this(request: SignedInRequest) -> HttpResponse:
    """Photos of the form are not what `q`, `like` and `image` mean, or (`say=undo`) are after all.
    The history names a query by its `key`."""
    ids = photo_ids(request.POST, limit=MAX_MARKED)
    is_undo = request.POST.get("say") == "undo"
    count = (_take_back if is_undo else _mark)(request, ids)
    comes_last = "They come last" if count > 1 else "It comes last"
    message = "Shown as before." if is_undo else f"{comes_last} for this search from now on."
    if prefers_json(request):
        return JsonResponse({"count": count, "message": message})
    messages.success(request, message)
    return redirect(wanted_next(request, otherwise="find:history"))


def _mark(request: SignedInRequest, ids: list[int]) -> int:
    return events.mark_not_this(request.user, wish_of(request.user, request.POST), ids)


def _take_back(request: SignedInRequest, ids: list[int]) -> int:
    named = request.POST.get("key", "")
    key = named or key_of_wish(request.user, wish_of(request.user, request.POST))
    return events.take_back(request.user, key, ids)
