"""Pages on which people teach tags from examples, over their own photos."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from search.teaching.asking import How, Question
from search.teaching.judging import in_words
from webapp.accounts.http import HtmxRequest, SignedInRequest
from webapp.accounts.models import User
from webapp.errors import Refused
from webapp.find.services import find_photos
from webapp.library.cursors import read_signed, signed
from webapp.library.forms import photo_ids
from webapp.library.services.reading import chosen
from webapp.library.tiles import Tile, thumbnail_url, tiles_of
from webapp.teach.taught import teaching, using
from webapp.teach.taught.models import TaughtTag
from webapp.teach.taught.teaching import LEAST_EXAMPLES, Study, get_taught
from webapp.teach.words import alternative_text, with_words

SHOWN = 24  # photos of a strip
MAX_EXAMPLES = 1_000
_SALT = "marea.questions"
SAYS = {"yes": True, "no": False, "skip": None}


@require_safe
def overview(request: SignedInRequest) -> HttpResponse:
    """What one teaches, and how to begin."""
    mine = teaching.taught_by(request.user)
    return render(request, "teach/taught_list.html", {"taught": mine, "least": LEAST_EXAMPLES})


@require_POST
def begin(request: SignedInRequest) -> HttpResponse:
    """Begin to teach the tag of the form, with its photos as examples, if it has any."""
    ids = photo_ids(request.POST, limit=MAX_EXAMPLES) if request.POST.get("photos") else []
    begun = teaching.begin(request.user, request.POST.get("tag", ""), chosen(request.user, ids))
    return redirect("teach:taught", begun.pk)


@require_safe
def page(request: HtmxRequest, taught_id: int) -> HttpResponse:
    """One tag: its examples, the present question, how good it is."""
    taught = get_taught(request.user, taught_id, even_deleted=True)
    if taught.deleted_at:
        return render(request, "teach/taught_deleted.html", {"taught": taught})
    context = _round(request.user, taught, []) | _picks(request, taught)
    return render(request, "teach/taught.html", context)


@require_POST
def examples(request: SignedInRequest, taught_id: int) -> HttpResponse:
    """The photos of the form show it."""
    taught = get_taught(request.user, taught_id)
    ids = photo_ids(request.POST, limit=MAX_EXAMPLES)
    teaching.give_examples(taught, chosen(request.user, ids))
    return redirect("teach:taught", taught.pk)


@require_POST
def answer(request: HtmxRequest, taught_id: int) -> HttpResponse:
    """The answer to the first question of the form, and the next one."""
    taught = get_taught(request.user, taught_id)
    asked = _read_questions(request.POST.get("questions", ""))
    if not asked or (says := request.POST.get("says", "")) not in SAYS:
        raise Refused("The answer is yes, no or skip. Nothing was changed.", field="says")
    said = teaching.answer(taught, asked[0], SAYS[says])
    return _next(request, taught, asked[1:], before=asked, act=said.act if said else None)


@require_POST
def take_back(request: HtmxRequest, taught_id: int, act: UUID) -> HttpResponse:
    """Take an answer back and ask again."""
    taught = get_taught(request.user, taught_id)
    teaching.take_back(taught, act)
    return _next(request, taught, _read_questions(request.POST.get("questions", "")))


@require_POST
def switch(request: SignedInRequest, taught_id: int) -> HttpResponse:
    """Switch it on or off for the library."""
    taught = get_taught(request.user, taught_id)
    if request.POST.get("on") != "yes":
        gone = using.switch_off(taught)
        said = f"Its tags {'are gone from' if gone else 'go in the background from'} your library. "
        said += "What you said about photos stays."
    elif using.switch_on(taught):
        said = f"“{taught.tag.name}” now tags your library, and every new photo."
    else:
        said = f"“{taught.tag.name}” is tagging your library in the background, and new photos."
    messages.success(request, said)
    return redirect("teach:taught", taught.pk)


@require_POST
def rename(request: SignedInRequest, taught_id: int) -> HttpResponse:
    taught = using.rename(get_taught(request.user, taught_id), request.POST.get("tag", ""))
    messages.success(request, f"It is called “{taught.tag.name}” from now on.")
    return redirect("teach:taught", taught.pk)


@require_POST
def delete(request: SignedInRequest, taught_id: int) -> HttpResponse:
    """Teach it no longer; the page that comes offers to bring it back."""
    using.delete(get_taught(request.user, taught_id))
    return redirect("teach:taught", taught_id)


@require_POST
def restore(request: SignedInRequest, taught_id: int) -> HttpResponse:
    using.restore(get_taught(request.user, taught_id, even_deleted=True))
    messages.success(request, "It is back, and switched off.")
    return redirect("teach:taught", taught_id)


def _next(
    request: HtmxRequest,
    taught: TaughtTag,
    left: Sequence[Question],
    *,
    before: Sequence[Question] = (),
    act: UUID | None = None,
) -> HttpResponse:
    """What comes after an answer; `before` is what was asked before it, for taking it back."""
    if not request.htmx:
        return redirect("teach:taught", taught.pk)
    context = _round(request.user, taught, left) | {"act": act, "before": _written(before)}
    is_new = not left or context["lacking"]
    response = render(request, "teach/_round.html" if is_new else "teach/_question.html", context)
    if not is_new:
        response["HX-Retarget"] = "#round-question"
    return response


def _round(user: User, taught: TaughtTag, left: Sequence[Question]) -> dict[str, Any]:
    """The next question: one of those `left` in this round, or the first of a new one, for which
    everything answered so far is learnt."""
    known = teaching.examples_of(taught)
    context: dict[str, Any] = {
        "taught": taught,
        "examples": known.count,
        "least": LEAST_EXAMPLES,
        "lacking": max(0, LEAST_EXAMPLES - known.count),
        "shown_examples": _tiles(user, known.ids[known.shows][::-1][:SHOWN].tolist()),
    }
    if context["lacking"]:
        return context
    questions = list(left)
    if not questions and (study := teaching.study(taught)):
        context |= _of_study(user, study)
        questions = study.questions
    return context | _of_questions(user, questions)


def _of_study(user: User, study: Study) -> dict[str, Any]:
    likely = study.ranked.ids[: study.ranked.tagged][:SHOWN].tolist()
    return {
        "quality": study.quality,
        "quality_words": in_words(study.quality),
        "likely": _tiles(user, likely),
    }


def _of_questions(user: User, questions: Sequence[Question]) -> dict[str, Any]:
    photos = with_words(chosen(user, [each.photo_id for each in questions]), user).in_bulk()
    there = [each for each in questions if each.photo_id in photos]
    if not there:
        return {"question": None}
    photo = photos[there[0].photo_id]
    return {
        "question": photo,
        "question_alt": alternative_text(photo),
        "question_image": thumbnail_url(photo, "large"),
        "ahead": [thumbnail_url(photos[each.photo_id], "large") for each in there[1:3]],
        "questions": _written(there),
    }


def _picks(request: HtmxRequest, taught: TaughtTag) -> dict[str, Any]:
    """Photos to pick examples from: of a search, or of a few chosen ids."""
    text = request.GET.get("q", "")
    if not text:
        return {"picks": [], "query": ""}
    known = set(teaching.examples_of(taught).ids.tolist())
    found = find_photos(request.user, text, show_more=True).found
    return {
        "picks": [Tile.of(each.photo) for each in found if each.photo.pk not in known],
        "query": text,
    }


def _tiles(user: User, ids: Sequence[int]) -> list[Tile]:
    photos = with_words(chosen(user, ids), user).in_bulk()
    return tiles_of(photos[pk] for pk in ids if pk in photos)


def _written(questions: Sequence[Question]) -> str:
    """Signed: how a photo was chosen is ours to say."""
    return signed([list(asdict(each).values()) for each in questions], salt=_SALT)


def _read_questions(text: str) -> list[Question]:
    rows = read_signed(text, salt=_SALT)
    return [Question(int(pk), How(how), float(chance)) for pk, how, chance in rows]
