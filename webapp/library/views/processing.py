"""The processing page: how far the user's photos are, and those that were set aside."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from webapp.accounts.http import HtmxRequest
from webapp.accounts.models import User
from webapp.library.forms import as_id
from webapp.library.models import Photo, PhotoQuerySet, Worker
from webapp.library.services import claims
from webapp.library.services.processing import Progress, progress_of, set_aside
from webapp.library.services.thumbnails import has_thumbnails
from webapp.teach.reading import count_waiting

SHOWN_FAILURES = 100
BUSY_POLL_S, IDLE_POLL_S = 2, 10
# What the workers of a queue do, in words.
DUTIES = {
    "look": "looks at photos",
    "thumbnails": "makes thumbnails",
    "reading": "reads text in photos",
    "models": "trains and switches models",
    "housekeeping": "tidies up",
}
FAILURES_CHANGED = "failures-changed"  # tells the page to fetch the list of failures again


@require_GET
@vary_on_headers("HX-Request")
def processing_page(request: HtmxRequest) -> HttpResponse:
    """The page; htmx asks for its numbers alone, every few seconds."""
    progress = progress_of(request.user)
    context: dict[str, Any] = {
        "progress": progress,
        "headline": headline(progress),
        "pace": pace_words(progress),
        "stalled": stalled_words(progress),
        "reading": reading_words(request.user, progress),
        "every_s": BUSY_POLL_S if progress.unfinished else IDLE_POLL_S,
        "workers": _workers() if request.user.is_staff else None,
    }
    if not request.htmx:
        context["failures"] = _shown(set_aside(request.user))
        return render(request, "library/processing.html", context)
    response = render(request, "library/_processing_progress.html", context)
    if request.GET.get("failed") != str(progress.failed):
        response["HX-Trigger"] = FAILURES_CHANGED
    return response


@require_GET
def failures(request: HtmxRequest) -> HttpResponse:
    """The photos that were set aside, as a part of the page."""
    return _failures(request)


@require_POST
def retry(request: HtmxRequest) -> HttpResponse:
    """Try one photo (`photo`) or all of the user's failures again."""
    photos = set_aside(request.user)
    chosen = request.POST.get("photo", "")
    if chosen:
        photos = photos.filter(pk=as_id(chosen) or 0)
    claims.retry(photos)
    if not request.htmx:
        return redirect("library:processing")
    return _failures(request)


def headline(progress: Progress) -> str:
    """Where things stand, in words that change every minute rather than with every photo."""
    if not progress.total:
        return "There are no photos yet"
    if progress.unfinished:
        left_s = progress.left_s
        if left_s is not None:
            return f"Looking at your photos: {_duration(left_s)} left"
        return "Looking at your photos" if progress.looking else "Photos wait for a worker"
    if progress.failed:
        return "Done, except for the photos that were set aside"
    return "All your photos are ready"


def pace_words(progress: Progress) -> str:
    if not progress.unfinished:
        return "Whatever you upload shows up here."
    if progress.photos_per_s is None and not progress.looking:
        return "A worker takes them as soon as one is free."
    if progress.photos_per_s is None:
        return "How fast it goes is known in a moment."
    if progress.photos_per_s < 1:
        return f"{progress.photos_per_s * 60:.0f} photos a minute at present."
    return f"{progress.photos_per_s:.1f} photos a second at present."


def stalled_words(progress: Progress) -> str:
    """Of a worker that was killed nothing is heard until its lease runs out."""
    if not progress.stalled:
        return ""
    photos = "1 photo" if progress.stalled == 1 else f"{progress.stalled:,} photos"
    return (
        f"The worker that had {photos} in hand has stopped. "
        "Nothing is lost: another one takes over within a minute."
    )


def reading_words(user: User, progress: Progress) -> str:
    """How many photos' text is still to be read, which comes after every first look."""
    if not settings.MAREA_OCR or progress.unfinished:
        return ""
    waiting = count_waiting(user)
    photos = "1 photo" if waiting == 1 else f"{waiting:,} photos"
    return f"Text is still to be read in {photos}." if waiting else ""


def _workers() -> list[tuple[Worker, str]]:
    """Those that are at work, each with what it does."""
    workers = Worker.objects.present().order_by("name")
    return [(worker, duties(worker.queues)) for worker in workers]


def duties(queues: str) -> str:
    """What a worker of these queues (joined by commas) does; the most interesting first."""
    names = queues.split(",")
    known = [words for queue, words in DUTIES.items() if queue in names]
    return ", ".join(known + [name for name in names if name not in DUTIES])


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 90:
        return f"about {minutes} minute{'' if minutes == 1 else 's'}"
    return f"about {round(minutes / 60)} hours"


def _failures(request: HtmxRequest) -> HttpResponse:
    photos = set_aside(request.user)
    context = {"failures": _shown(photos), "failed": photos.count()}
    return render(request, "library/_processing_failures.html", context)


def _shown(photos: PhotoQuerySet) -> list[tuple[Photo, bool]]:
    """The newest of them, each with whether it got as far as having thumbnails."""
    return [(photo, has_thumbnails(photo.sha256)) for photo in photos[:SHOWN_FAILURES]]
