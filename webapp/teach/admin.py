"""Model versions in Django's admin: which there are, and buttons to pull, adopt and switch them."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from webapp.errors import NotFound, UserError
from webapp.teach import jobs
from webapp.teach.datasets import admin as _data_sets  # noqa: F401  its pages
from webapp.teach.job_models import ModelJob
from webapp.teach.models import ModelVersion
from webapp.teach.runs import admin as _runs  # noqa: F401  its pages
from webapp.teach.switching import retention
from webapp.teach.versions import views
from webapp.teach.versions.cards import cards
from webapp.teach.versions.fetched import adoptable, offers
from webapp.teach.versions.folders import Known, known_versions
from webapp.texts import one_line

BUSY_POLL_S = 2
SAID = {
    ModelJob.Kind.PULL: "{name} is being fetched as soon as a worker is free.",
    ModelJob.Kind.ADOPT: "{name} takes over as soon as a worker is free.",
    ModelJob.Kind.ACTIVATE: "{name} is judged and looks at every photo first, then it is put to "
    "work.",
    ModelJob.Kind.COMPARE: "{name} looks at the photos that are kept for judging.",
}


@admin.register(ModelVersion)
class ModelVersionAdmin(admin.ModelAdmin):
    """One page; its buttons ask a worker for what takes long, and say how far it is."""

    def get_urls(self) -> list[URLPattern]:
        ask = self.admin_site.admin_view(require_POST(self.ask))
        own = path("ask/<str:kind>/<str:name>/", ask, name="teach_modelversion_ask")
        return [own, *views.urls(), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The page; while something is at work, htmx asks for how far it is."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.headers.get("HX-Request") == "true":
            return _progress(request)
        own = {"title": "Models", "tab": "versions"}
        context = self.admin_site.each_context(request) | shown() | own
        return render(request, "admin/teach/modelversion/change_list.html", context)

    def ask(self, request: HttpRequest, kind: str, name: str) -> HttpResponse:
        """A button: ask for the work and show the page again."""
        if not request.user.is_superuser:
            raise PermissionDenied
        try:
            check(kind, name)
            reason = one_line(request.POST.get("reason", ""))
            jobs.ask(kind, name, user=request.user, reason=reason)
            messages.success(request, SAID[ModelJob.Kind(kind)].format(name=name))
        except UserError as error:
            messages.error(request, error.message)
        return redirect(reverse("admin:teach_modelversion_changelist"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False


def check(kind: str, name: str) -> None:
    """Raises `NotFound` when nothing of that name can be pulled, adopted or activated."""
    versions = known_versions()
    able = {version.name for version in versions if not version.is_active and not version.lacks}
    allowed = {
        ModelJob.Kind.PULL: {each.entry.name for each in offers(versions) if not each.is_here},
        ModelJob.Kind.ADOPT: adoptable(versions),
        ModelJob.Kind.ACTIVATE: able,
        ModelJob.Kind.COMPARE: able,
    }
    if kind not in allowed or name not in allowed[ModelJob.Kind(kind)]:
        raise NotFound(f"There is nothing called {name} to {kind}. Nothing was changed.")


def shown() -> dict[str, Any]:
    """What the page is made of."""
    versions = known_versions()
    return at_work() | {
        "cards": [(card, measured(card.known)) for card in cards()],
        "leaving": retention.leaving(),
        "adoptable": adoptable(versions),
        "offers": offers(versions),
    }


def at_work() -> dict[str, Any]:
    """The latest jobs, and how often to ask for them; 0 when nothing is at work."""
    latest = jobs.latest()
    can_go_on = {
        job.pk for job in latest if job.kind == "activate" and job.state in ("stopped", "failed")
    }
    busy = any(job.state in ("waiting", "running") for job in latest)
    return {"jobs": latest, "can_go_on": can_go_on, "poll_s": BUSY_POLL_S if busy else 0}


def _progress(request: HttpRequest) -> HttpResponse:
    """The jobs alone; once nothing is at work any more, the browser fetches the whole page."""
    context = at_work()
    response = render(request, "admin/teach/modelversion/_jobs.html", context)
    if not context["poll_s"]:
        response["HX-Refresh"] = "true"
    return response


def measured(version: Known) -> list[tuple[str, str]]:
    """The figures of a version that fit a line: how an adopted one agrees with its elder."""
    agreement = version.metrics.get("adopted", {}).get("agreement", {})
    names = {
        "embedding_cosine": "embedding",
        "recall@10": "recall@10",
        "tags": "tags",
        "caption_words": "captions",
    }
    return [(names[key], f"{value:.0%}") for key, value in agreement.items() if key in names]
