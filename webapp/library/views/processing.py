"""The processing page: how far the user's photos are, and those that were set aside."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from webapp.accounts.http import SignedInRequest
from webapp.library.services import claims
from webapp.library.services.processing import present_workers, progress_of, set_aside

SHOWN_FAILURES = 100
FAILURES_CHANGED = "failures-changed"  # tells the page to fetch the list of failures again


@require_GET
@vary_on_headers("HX-Request")
def processing_page(request: SignedInRequest) -> HttpResponse:
    """The page; htmx asks for its numbers alone, every few seconds."""
    progress = progress_of(request.user)
    context: dict[str, Any] = {
        "progress": progress,
        "workers": present_workers() if request.user.is_staff else None,
    }
    if not _wants_part(request):
        context["failures"] = set_aside(request.user)[:SHOWN_FAILURES]
        return render(request, "library/processing.html", context)
    response = render(request, "library/_processing_progress.html", context)
    if request.GET.get("failed") != str(progress.failed):
        response["HX-Trigger"] = FAILURES_CHANGED
    return response


@require_GET
def failures(request: SignedInRequest) -> HttpResponse:
    """The photos that were set aside, as a part of the page."""
    return _failures(request)


@require_POST
def retry(request: SignedInRequest) -> HttpResponse:
    """Try one photo (`photo`) or all of the user's failures again."""
    photos = set_aside(request.user)
    chosen = request.POST.get("photo", "")
    if chosen:
        photos = photos.filter(pk=int(chosen) if chosen.isascii() and chosen.isdigit() else 0)
    claims.retry(photos)
    if not _wants_part(request):
        return redirect("library:processing")
    return _failures(request)


def _failures(request: SignedInRequest) -> HttpResponse:
    photos = set_aside(request.user)
    context = {"failures": photos[:SHOWN_FAILURES], "failed": photos.count()}
    return render(request, "library/_processing_failures.html", context)


def _wants_part(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"
