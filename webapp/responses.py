"""The one place that turns failures into answers.

Programs (the API, scripts, whoever prefers JSON) get `{"error": {"code", "message", "field"?}}`;
people get a calm page that says the same sentence.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import (
    DisallowedHost,
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from webapp.errors import UserError

API_PREFIX = "/api/"

BAD_REQUEST = "Marea could not make sense of this request. Go back, reload the page and try again."
FORBIDDEN = "You may not do this. Ask the administrator of this Marea if you think you should."
NOT_FOUND = "There is no such page, or it is not yours."
SERVER_ERROR = (
    "Something went wrong on our side. Try again; if it stays so, tell the administrator, who "
    "finds the reason in the server's log."
)
CSRF = (
    "This form was open for too long or cookies are switched off. Nothing was changed; go back, "
    "reload the page and try again."
)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What went wrong: an HTTP status, a code for programs, a full sentence for people."""

    status: int
    code: str
    message: str
    field: str | None = None

    @classmethod
    def of(cls, error: UserError) -> "Problem":
        return cls(status=error.status, code=error.code, message=error.message, field=error.field)

    def as_json(self) -> dict[str, dict[str, str]]:
        error = {"code": self.code, "message": self.message}
        if self.field:
            error["field"] = self.field
        return {"error": error}


def answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The problem as JSON or as a page, whichever the caller reads."""
    if prefers_json(request):
        return JsonResponse(problem.as_json(), status=problem.status)
    return render(request, "errors/page.html", {"problem": problem}, status=problem.status)


def prefers_json(request: HttpRequest) -> bool:
    """Our own scripts (fetch, htmx) and the API read JSON; a browser's page loads ask for HTML."""
    if request.path_info.startswith(API_PREFIX) or request.headers.get("HX-Request") == "true":
        return True
    preferred = request.get_preferred_type(["text/html", "application/json"])
    return preferred == "application/json"


def wanted_next(request: HttpRequest, *, otherwise: str) -> str:
    """Where the form wants to go next, if that is one of our pages."""
    wanted = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    return wanted if ours else otherwise


class ProblemMiddleware:
    """Answers for failures that views raise, and gives bare refusals a sentence."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code == 405:
            return _method_not_allowed(request, response.headers.get("Allow", ""))
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, UserError):
            return answer(request, Problem.of(error))
        return None


def _method_not_allowed(request: HttpRequest, allowed: str) -> HttpResponse:
    message = f"This address answers {allowed or 'nothing'}, not {request.method}."
    problem = Problem(status=405, code="method_not_allowed", message=message)
    response = answer(request, problem)
    response["Allow"] = allowed
    return response


# --- Django's handlers (webapp.urls) and settings.CSRF_FAILURE_VIEW ---


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, _problem_of_suspicious(exception))


def _problem_of_suspicious(exception: Exception) -> Problem:
    """What Django refused before a view saw it."""
    if isinstance(exception, RequestDataTooBig):
        message = (
            str(getattr(exception, "message", "")) or "This request is too large. It was refused."
        )
        return Problem(status=413, code="too_large", message=message)
    if isinstance(exception, TooManyFieldsSent | TooManyFilesSent):
        message = "This request has too many parts. Nothing was changed; try it in smaller steps."
        return Problem(status=413, code="too_many_parts", message=message)
    if isinstance(exception, DisallowedHost):
        message = (
            "Marea is not set up to be reached under this name. "
            "Its administrator can add the name to ALLOWED_HOSTS."
        )
        return Problem(status=400, code="unknown_host", message=message)
    return Problem(status=400, code="bad_request", message=BAD_REQUEST)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`PermissionDenied("A sentence.")` in a view shows its sentence."""
    message = str(exception) or FORBIDDEN
    return answer(request, Problem(status=403, code="forbidden", message=message))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, Problem(status=404, code="not_found", message=NOT_FOUND))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return answer(request, Problem(status=403, code="csrf", message=CSRF))


def server_error(request: HttpRequest) -> HttpResponse:
    """Needs neither the database nor a signed-in user: either may be what failed."""
    problem = Problem(status=500, code="server_error", message=SERVER_ERROR)
    if prefers_json(request):
        return JsonResponse(problem.as_json(), status=500)
    return render(None, "errors/500.html", {"problem": problem}, status=500)
