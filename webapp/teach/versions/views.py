"""Pages about model versions inside Django's admin. Staff see them; administrators act."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_GET, require_POST

from webapp.accounts.http import SignedInRequest
from webapp.errors import Conflict, UserError
from webapp.teach import jobs
from webapp.teach.job_models import ModelJob
from webapp.teach.judging import comparing
from webapp.teach.models import ModelVersion
from webapp.teach.switching import activating, retention
from webapp.teach.switching.models import Verdict
from webapp.teach.versions import overview
from webapp.teach.versions.active import active_version
from webapp.teach.versions.folders import unregistered
from webapp.texts import one_line
from workers import queue

View = Callable[..., HttpResponse]
VERSIONS = "admin:teach_modelversion_changelist"


def urls() -> list[URLPattern]:
    """Beside those of Django's own admin of versions."""
    return [
        path("overview/", _staff(overview_page), name="teach_overview"),
        path("compare/", _staff(compare_page), name="teach_compare"),
        path("rollback/", _administrators(roll_back), name="teach_rollback"),
        path("tidy/", _administrators(tidy), name="teach_tidy"),
        path("pin/<str:name>/", _administrators(pin), name="teach_pin"),
        path("pause/<int:job_id>/", _administrators(pause), name="teach_pause"),
        path("go-on/<int:job_id>/", _administrators(go_on), name="teach_go_on"),
    ]


def _staff(view: View) -> View:
    return admin.site.admin_view(require_GET(view))


def _administrators(view: Callable[..., str]) -> View:
    """A button of an administrator's; it says how it went, and the page of versions is shown."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_superuser:
            raise PermissionDenied
        try:
            messages.success(request, view(request, *args, **kwargs))
        except UserError as error:
            messages.error(request, error.message)
        return redirect(reverse(VERSIONS))

    return admin.site.admin_view(require_POST(guarded))


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return render(request, template, admin.site.each_context(request) | context)


def overview_page(request: SignedInRequest) -> HttpResponse:
    active = active_version()
    return _page(
        request,
        "admin/teach/overview.html",
        {
            "title": "Models: overview",
            "tab": "overview",
            "active": active,
            "standing": overview.standing(active),
            "waiting": overview.waiting(),
            "since": overview.since_training(request.user),
            "switches": overview.switches(),
        },
    )


def compare_page(request: SignedInRequest) -> HttpResponse:
    """Two versions side by side; photos and searches are those of who looks at the page."""
    versions = list(ModelVersion.objects.order_by("-is_active", "-created_at"))
    old = _named(request, "against") or active_version()
    others = [version for version in versions if version != old]
    unseen = unregistered({version.name for version in versions})
    context = {"title": "Compare models", "tab": "compare", "old": old, "new": None}
    asked = request.GET.get("version", "")
    context |= {"versions": versions, "unseen": unseen}
    if asked in unseen:
        return _page(request, "admin/teach/compare.html", context | {"asked": asked})
    new = _named(request, "version") or next(iter(others), None)
    if new is None or new == old:
        return _page(request, "admin/teach/compare.html", context)
    return _page(request, "admin/teach/compare.html", context | _compared(request, old, new))


def _named(request: HttpRequest, field: str) -> ModelVersion | None:
    name = request.GET.get(field, "")
    return _version(name) if name else None


def _version(name: str) -> ModelVersion:
    """Raises `Http404`, also for what PostgreSQL cannot look up (a NUL)."""
    return get_object_or_404(ModelVersion, name=one_line(name))


def _compared(request: SignedInRequest, old: ModelVersion, new: ModelVersion) -> dict[str, Any]:
    both = comparing.seen_by_both(request.user, old, new)
    verdict = Verdict.objects.filter(version=new, against=old).order_by("-pk").first()
    return {
        "new": new,
        "verdict": verdict,
        "lines": comparing.lines(verdict) if verdict else [],
        "photos": comparing.differing(request.user, *both),
        "searches": comparing.searches(request.user, *both),
        "seen": len(both[0]),
    }


def roll_back(request: SignedInRequest) -> str:
    version = activating.roll_back(user=request.user)
    return f"{version.name} is at work again."


def tidy(request: HttpRequest) -> str:
    """Deleting what a version saw of 100,000 photos is a worker's work."""
    going = [each.version.name for each in retention.leaving()]
    if not going:
        return "There was nothing to let go of."
    queue.versions_leave()
    return f"A worker lets go of {', '.join(going)} as soon as it is free."


def pin(request: HttpRequest, name: str) -> str:
    """Keep a version for good, or no longer."""
    version = _version(name)
    version.is_pinned = not version.is_pinned
    version.save(update_fields=["is_pinned"])
    return f"{name} is kept for good." if version.is_pinned else f"{name} is kept as others are."


def pause(request: HttpRequest, job_id: int) -> str:
    job = get_object_or_404(ModelJob, pk=job_id, kind=ModelJob.Kind.ACTIVATE)
    jobs.stop(job)
    return f"{job.name} rests. What it has looked at stays; nothing else has changed."


def go_on(request: HttpRequest, job_id: int) -> str:
    job = get_object_or_404(ModelJob, pk=job_id, kind=ModelJob.Kind.ACTIVATE)
    if not jobs.start_again(job):
        raise Conflict("Only what rests or failed can go on. Nothing was changed.")
    return f"{job.name} goes on as soon as a worker is free."
