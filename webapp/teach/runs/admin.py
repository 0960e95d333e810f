"""The pages Train and Runs in Django's admin. Staff see them; superusers start, stop and resume."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from webapp.accounts.models import User
from webapp.errors import NotFound, UserError
from webapp.teach.runs import lifecycle, pages
from webapp.teach.runs.kinds import KINDS, kind_named
from webapp.teach.runs.models import TrainingRun

LIST = "admin:teach_trainingrun_changelist"
RUN = "admin:teach_trainingrun_run"
TRAIN = "admin:teach_trainingrun_train"
FOLDER = "admin/teach/trainingrun"


@admin.register(TrainingRun)
class TrainingRunAdmin(admin.ModelAdmin):
    """Runs, one run, and what can be trained."""

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        train = site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.train))
        one = site.admin_view(require_safe(self.one))
        deed = site.admin_view(require_POST(self.deed))
        own = [
            path("train/", train, name="teach_trainingrun_train"),
            path("<int:number>/", one, name="teach_trainingrun_run"),
            path("<int:number>/<str:deed>/", deed, name="teach_trainingrun_deed"),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Every run, newest first."""
        self._check_may_see(request)
        page = pages.page_of_runs(request.GET.get("p"))
        named = [(run, pages.title_of(run)) for run in page.object_list]
        return self._page(
            request, "list.html", "runs", {"title": "Runs", "page": page, "runs": named}
        )

    def train(self, request: HttpRequest) -> HttpResponse:
        """What can be trained; asked with a reason, a run comes of it."""
        self._check_may_see(request)
        context: dict[str, Any] = {"title": "Train"}
        status = 200
        if request.method == "POST":
            try:
                run = self._ask(request)
            except UserError as error:
                context |= {
                    "failed": error.message,
                    "kind_asked": _kind_on_page(request.POST.get("kind", "")),
                    "given": request.POST,
                }
                status = error.status
            else:
                messages.success(request, "It begins as soon as a worker is free.")
                return redirect(reverse(RUN, args=[run.pk]))
        context["offers"] = pages.offers()
        return self._page(request, "train.html", "train", context, status=status)

    def one(self, request: HttpRequest, number: int) -> HttpResponse:
        """A run; while it is at work, htmx asks for how far it is."""
        self._check_may_see(request)
        context = pages.shown(_run(number))
        if request.headers.get("HX-Request") != "true":
            title = f"{context['kind_title']}, run {number}"
            return self._page(request, "run.html", "runs", context | {"title": title})
        response = render(request, f"{FOLDER}/_run.html", context)
        if not context["poll_s"]:
            response["HX-Refresh"] = "true"
        return response

    def deed(self, request: HttpRequest, number: int, deed: str) -> HttpResponse:
        """Cancel, resume or try again."""
        user = _superuser(request)
        run = _run(number)
        try:
            if deed == "cancel":
                lifecycle.cancel(run)
                messages.success(request, "It was cancelled. What it has learned so far is kept.")
            elif deed == "resume":
                lifecycle.resume(run)
                messages.success(request, "It goes on as soon as a worker is free.")
            elif deed == "again":
                run = lifecycle.try_again(run, user=user, why=f"Run {number} again: {run.why}")
                messages.success(request, "It begins as soon as a worker is free.")
            else:
                raise Http404
        except UserError as error:
            messages.error(request, error.message)
        return redirect(reverse(RUN, args=[run.pk]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def _ask(self, request: HttpRequest) -> TrainingRun:
        """Raises `UserError`."""
        user, given = _superuser(request), request.POST
        kind = kind_named(given.get("kind", ""))
        if not kind.is_on_page:
            raise NotFound(f"{kind.title} is not trained from this page. Nothing was started.")
        chosen = {s.name: given[s.name] for s in kind.settings if given.get(s.name, "").strip()}
        seed = given.get("seed", "").strip() or "0"
        return lifecycle.ask(
            kind.name,
            user=user,
            why=given.get("why", ""),
            parameters=chosen,
            seed=int(seed) if seed.isdecimal() and len(seed) < 11 else -1,
        )

    def _check_may_see(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _page(
        self,
        request: HttpRequest,
        template: str,
        tab: str,
        context: dict[str, Any],
        *,
        status: int = 200,
    ) -> HttpResponse:
        whole = self.admin_site.each_context(request) | context | {"tab": tab}
        return render(request, f"{FOLDER}/{template}", whole, status=status)


def _kind_on_page(name: str) -> str:
    """Beside which offer a refusal stands; "" for none."""
    return name if name in KINDS and KINDS[name].is_on_page else ""


def _superuser(request: HttpRequest) -> User:
    user = request.user
    if not isinstance(user, User) or not user.is_superuser:
        raise PermissionDenied
    return user


def _run(number: int) -> TrainingRun:
    run = pages.run_named(number)
    if run is None:
        raise Http404("There is no run of that number.")
    return run
