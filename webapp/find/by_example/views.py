"""The search page where examples say what is looked for."""

from django.http import HttpResponse
from django.shortcuts import render

from webapp.accounts.http import HtmxRequest
from webapp.errors import Conflict, NotFound
from webapp.examples.services import a_worker_looks
from webapp.find.by_example.examples import Examples, asked_examples
from webapp.find.by_example.finding import find_like
from webapp.find.history.events import note_search
from webapp.find.query.chips import chips_of
from webapp.find.results import Found, SearchPage
from webapp.library.tiles import Tile


def like_page(
    request: HtmxRequest, text: str, *, offset: int, more: bool, template: str
) -> HttpResponse | None:
    """Results for `?like=` and `?image=`, perhaps with words, or that a worker is still looking;
    None for an address without examples."""
    try:
        examples = asked_examples(request.user, request.GET)
        return _page(request, text, examples, offset, more, template) if examples else None
    except (Conflict, NotFound):
        if _was_waited_for(request):
            return _reload()  # the page then says why, and asks no more
        raise


def _page(
    request: HtmxRequest, text: str, examples: Examples, offset: int, more: bool, template: str
) -> HttpResponse:
    page = find_like(request.user, text, examples, offset=offset, show_more=more)
    if page and examples.written:
        note_search(request.user, text, page, offset=offset, examples=examples.written)
    context = {
        "by_example": True,
        "query_text": text,
        "examples": examples.shown(text),
        "example_fields": examples.fields,
    }
    if page is None:
        context |= {"here_url": examples.url(text), "a_worker_looks": a_worker_looks()}
        return render(request, template, context)
    context |= {
        "page": page,
        "can_mark": page.memory.is_kept,
        "chips": chips_of(page.query, lambda query: examples.url(query, more=more)),
        "tiles": _tiles(page, examples.trail(text, more=more), offset),
        "next_url": _next_url(page, examples, text, more),
        "more_url": examples.url(text, more=True) if page.hidden else "",
    }
    if _was_waited_for(request):
        return _reload()  # the page's scripts then find a grid
    return render(request, template, context)


def _reload() -> HttpResponse:
    return HttpResponse(headers={"HX-Refresh": "true"})


def _was_waited_for(request: HtmxRequest) -> bool:
    """Whether the page that asks said that a worker is looking."""
    return bool(request.htmx) and request.htmx.trigger == "looking"


def _next_url(page: SearchPage, examples: Examples, text: str, more: bool) -> str:
    return examples.url(text, offset=page.next_offset, more=more) if page.next_offset else ""


def _tiles(page: SearchPage, trail: str, offset: int) -> list[Tile]:
    return [
        Tile.of(found.photo, trail=trail, reasons=_reasons(page, found, rank))
        for rank, found in enumerate(page.found, start=offset)
    ]


def _reasons(page: SearchPage, found: Found, rank: int) -> str:
    """What speaks for a photo; of one that is hardly of the same, that first."""
    is_doubtful = rank >= page.confident
    return " · ".join((*(("less likely",) if is_doubtful else ()), *found.reasons))
