"""Duplicates, group by group, and the photos behind a tile."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from webapp.accounts.http import HtmxRequest, SignedInRequest
from webapp.errors import Refused
from webapp.library.forms import as_id
from webapp.library.services.reading import get_photo
from webapp.library.tiles import tiles_of
from webapp.stacks import services


@require_safe
def duplicates(request: SignedInRequest) -> HttpResponse:
    """Stacks to sort, a page at a time."""
    groups, following = services.groups(request.user, before=as_id(request.GET.get("before", "")))
    tiles = {group.stack_id: tiles_of(choice.photo for choice in group.choices) for group in groups}
    context = {
        "groups": [
            {
                "group": group,
                "choices": list(zip(group.choices, tiles[group.stack_id], strict=True)),
            }
            for group in groups
        ],
        "total": services.how_many_groups(request.user),
        "following": following,
        "unfolds": services.unfolds(request.user),
    }
    return render(request, "stacks/duplicates.html", context)


@require_POST
def sort(request: HtmxRequest, stack_id: int) -> HttpResponse:
    """What to do with one stack: `do` is trash (all but `keep`), keep or apart."""
    deed, trashed = request.POST.get("do", ""), []
    if deed == "trash":
        kept = [as_id(word) for word in request.POST.getlist("keep")]
        trashed = services.keep_only(request.user, stack_id, [pk for pk in kept if pk is not None])
        said = f"{_photos(len(trashed))} moved to the trash."
    elif deed == "keep":
        services.keep_all(request.user, stack_id)
        said = "All kept. They stay one tile and are not offered again."
    elif deed == "apart":
        services.take_apart(request.user, stack_id)
        said = "Taken apart. Each is a tile of its own again."
    else:
        raise Refused("Photos of a group can be kept, taken apart or moved to the trash.")
    if request.htmx:
        context = {"said": said, "trashed": ",".join(map(str, trashed))}
        return render(request, "stacks/_sorted.html", context)
    messages.success(request, said)
    return redirect("stacks:duplicates")


@require_POST
def folding(request: SignedInRequest) -> HttpResponse:
    """Whether stacks are one tile (`fold=on`) or each photo has its own."""
    services.choose_folding(request.user, unfold="fold" not in request.POST)
    messages.success(request, "Your choice is saved.")
    return HttpResponseRedirect(reverse("stacks:duplicates"))


@require_safe
def photo_stack(request: SignedInRequest, photo_id: int) -> HttpResponse:
    """The photos in one stack with this one, as a strip for its page; empty where it is alone."""
    photo = get_photo(request.user, photo_id)
    context = {"photo": photo, "tiles": tiles_of(services.stack_of(request.user, photo))}
    return render(request, "stacks/_strip.html", context)


def _photos(count: int) -> str:
    return "1 photo" if count == 1 else f"{count:,} photos"
