"""Other problems in Django's admin: photos in, what was found in them, a training, its figures.

Staff see, superusers act, as on the other pages about models.
"""

import re
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_POST

from vision.classifying.snapshot import thumbnail_path
from webapp.errors import NotFound, Refused, UserError
from webapp.library.views import tus
from webapp.teach import jobs
from webapp.teach.datasets import asking, deleting
from webapp.teach.datasets.models import DataSet
from webapp.teach.datasets.receiving import PAGE, Zips, ZipUploadHandler
from webapp.teach.datasets.registering import snapshot_of
from webapp.teach.datasets.showing import known_problems, shown_classes, shown_runs
from webapp.teach.job_models import ModelJob

LIST = "admin:teach_dataset_changelist"
TAB = "problems"
POLL_S = 2
SHA256 = re.compile(r"[0-9a-f]{64}")
WHY = "To tell these classes apart."
LONGEST_SEED = 10  # digits

View = Callable[..., HttpResponseBase]

announce_zip, zip_on_its_way = tus.views(Zips())


@admin.register(DataSet)
class DataSetAdmin(admin.ModelAdmin):
    """A list with two ways to bring photos, and a page for each data set."""

    def get_urls(self) -> list[URLPattern]:
        def own(route: str, view: View, name: str) -> URLPattern:
            return path(route, self.admin_site.admin_view(view), name=f"teach_dataset_{name}")

        return [
            own("", require_GET(self.changelist_view), "changelist"),
            own("upload/", _receiving_zip(self.upload), "upload"),
            own("pieces/", _administrators(announce_zip), "pieces"),
            own("pieces/<slug:key>/", _administrators(zip_on_its_way), "piece"),
            own("folder/", require_POST(self.folder), "folder"),
            own("forget/<slug:slug>/", require_POST(self.forget), "forget"),
            own("<int:number>/", require_GET(self.page), "page"),
            own("<int:number>/train/", require_POST(self.train), "train"),
            own("<int:number>/delete/", require_POST(self.delete), "delete"),
            own("<int:number>/restore/", require_POST(self.restore), "restore"),
            own("<int:number>/thumbnail/<str:sha256>/", require_GET(self.thumbnail), "thumbnail"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        self._check_may_see(request)
        context = self.admin_site.each_context(request) | {
            "title": "Other problems",
            "tab": TAB,
            "data_sets": _data_sets().filter(deleted_at=None),
            "deleted": _data_sets().exclude(deleted_at=None),
            "days": settings.MAREA_TRASH_DAYS,
            "known": known_problems(),
            "folders": settings.MAREA_DATASET_FOLDERS,
            "max_mb": settings.MAREA_MAX_DATASET_MB,
        }
        return render(request, "admin/teach/dataset/change_list.html", context)

    def page(self, request: HttpRequest, number: int) -> HttpResponse:
        """One data set; while it is read or trained on, htmx asks for how far that is."""
        self._check_may_see(request)
        data_set = _data_set(number)
        context = self.admin_site.each_context(request) | shown(data_set)
        if request.headers.get("HX-Request") != "true":
            return render(request, "admin/teach/dataset/page.html", context)
        response = render(request, "admin/teach/dataset/_progress.html", context)
        if not context["poll_s"]:
            response["HX-Refresh"] = "true"
        return response

    def upload(self, request: HttpRequest) -> HttpResponse:
        """The ZIP of a form, where no script sends it in pieces. Raises `UserError` with why it was
        not taken."""
        file = request.FILES.get("file")
        if not isinstance(file, TemporaryUploadedFile) or not file.size:
            raise Refused("No ZIP came with this request. Choose one.", field="file")
        data_set = asking.ask_to_read_zip(
            request.user,  # type: ignore[arg-type]
            request.POST.get("title", ""),
            file.name or "",
            Path(file.temporary_file_path()),
        )
        return redirect(PAGE, data_set.pk)

    def folder(self, request: HttpRequest) -> HttpResponse:
        _check_may_act(request)
        title, folder = request.POST.get("title", ""), request.POST.get("folder", "")
        try:
            data_set = asking.ask_to_read_folder(request.user, title, folder)  # type: ignore[arg-type]
        except UserError as error:
            messages.error(request, error.message)
            return redirect(LIST)
        return redirect(PAGE, data_set.pk)

    def train(self, request: HttpRequest, number: int) -> HttpResponse:
        _check_may_act(request)
        data_set, form = _data_set(number), request.POST
        try:
            asking.ask_to_train(
                request.user,  # type: ignore[arg-type]
                data_set,
                title=form.get("title", ""),
                head=form.get("head", asking.HEADS[0]),
                why=form.get("why", "").strip() or WHY,
                seed=_seed(form.get("seed", "")),
            )
            messages.success(request, "It is trained as soon as a worker is free.")
        except UserError as error:
            messages.error(request, error.message)
        return redirect(PAGE, number)

    def delete(self, request: HttpRequest, number: int) -> HttpResponse:
        """Put a data set away."""
        _check_may_act(request)
        data_set = _data_set(number)
        try:
            deleting.delete(data_set)
            messages.success(request, f"{data_set.title} was deleted; it can come back.")
        except UserError as error:
            messages.error(request, error.message)
            return redirect(PAGE, number)
        return redirect(LIST)

    def restore(self, request: HttpRequest, number: int) -> HttpResponse:
        _check_may_act(request)
        deleting.restore(_data_set(number))
        return redirect(PAGE, number)

    def forget(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Ask for a version without one of the active version's classifiers."""
        _check_may_act(request)
        if slug not in {each.slug for each in known_problems()}:
            raise NotFound("The active version knows no such problem. Nothing was changed.")
        jobs.ask(ModelJob.Kind.FORGET, slug)
        messages.success(
            request, "A version without it is made; put that one to work under Models."
        )
        return redirect(LIST)

    def thumbnail(self, request: HttpRequest, number: int, sha256: str) -> HttpResponseBase:
        self._check_may_see(request)
        if not SHA256.fullmatch(sha256):
            raise NotFound("There is no such photo.")
        try:
            file = thumbnail_path(_data_set(number).folder, sha256).open("rb")
        except OSError:
            raise NotFound("There is no such photo.") from None
        response = FileResponse(file, content_type="image/webp")
        response["Cache-Control"] = "private, max-age=31536000, immutable"
        return response

    def _check_may_see(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False


def shown(data_set: DataSet) -> dict[str, Any]:
    """What the page of a data set is made of."""
    context: dict[str, Any] = {"title": data_set.title, "data_set": data_set, "tab": TAB}
    context["runs"] = shown_runs(data_set)
    unfinished = (ModelJob.State.WAITING, ModelJob.State.RUNNING)
    busy = data_set.is_waiting or any(r.run.job.state in unfinished for r in context["runs"])
    context["poll_s"] = POLL_S if busy else 0
    context["can_delete"] = not (busy or data_set.deleted_at)
    if data_set.state == DataSet.State.READY:
        snapshot = snapshot_of(data_set)
        context |= {"found": snapshot.manifest, "classes": shown_classes(snapshot)}
        context["heads"] = asking.HEADS
    return context


def _receiving_zip(view: View) -> View:
    """Let a view take a ZIP: who may act is checked before a byte is read, and the form's token
    once the form was received in a way of its own."""

    @csrf_exempt
    @require_POST
    def receive(request: HttpRequest) -> HttpResponseBase:
        _check_may_act(request)
        request.upload_handlers = [ZipUploadHandler(request)]
        return csrf_protect(view)(request)

    return receive


def _administrators(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, **arguments: str) -> HttpResponseBase:
        _check_may_act(request)
        return view(request, **arguments)

    return guarded


def _check_may_act(request: HttpRequest) -> None:
    if not request.user.is_superuser:
        raise PermissionDenied


def _data_sets() -> QuerySet[DataSet]:
    """Newest first."""
    return DataSet.objects.select_related("job", "user").order_by("-pk")


def _data_set(number: int) -> DataSet:
    found = _data_sets().filter(pk=number).first()
    if found is None:
        raise NotFound("There is no such data set.")
    return found


def _seed(text: str) -> int:
    """Raises `Refused` for what is no number."""
    if not text.strip():
        return 0
    if not text.strip().isdecimal() or len(text.strip()) > LONGEST_SEED:
        raise Refused("A seed is a whole number. Nothing was started.", field="seed")
    return int(text)
