"""The API for programs: /api/v1/, with OpenAPI made from the code."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.operation import Operation

from webapp.accounts.api import BearerToken, SessionCookie
from webapp.albums.api import router as albums
from webapp.errors import NotFound, SignInNeeded, UserError
from webapp.find.api import router as find
from webapp.library.api import router as library
from webapp.responses import Problem, answer
from webapp.teach.api import router as teach
from webapp.teach.taught.api import router as taught


class MareaAPI(NinjaAPI):
    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The function's name: what generators call the method of a client."""
        return operation.view_func.__name__


api = MareaAPI(
    title="Marea",
    version="1",
    description=(
        "Photos, search and progress of one person: whoever the session or token belongs to. "
        'Every failure is `{"error": {"code", "message", "field"?}}`.'
    ),
    urls_namespace="api",
    auth=[BearerToken(), SessionCookie()],
    docs_decorator=require_safe,
)
api.add_router("", library)
api.add_router("", find)
api.add_router("", teach)
api.add_router("", taught)
api.add_router("", albums)


@api.exception_handler(UserError)
def on_user_error(request: HttpRequest, error: UserError) -> HttpResponse:
    return answer(request, Problem.of(error))


@api.exception_handler(AuthenticationError)
def on_nobody(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    message = "Sign in, or send an API token as `Authorization: Bearer …`."
    response = answer(request, Problem.of(SignInNeeded(message)))
    response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(HttpError)
def on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    message = f"{error}. Nothing was changed."
    return answer(request, Problem(status=error.status_code, code="bad_request", message=message))


@api.exception_handler(Http404)
def on_not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return answer(request, Problem.of(NotFound("There is nothing at this address.")))


@api.exception_handler(ValidationError)
def on_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """The first thing that is wrong, by the name that the caller gave it."""
    first = error.errors[0]
    field = ".".join(str(part) for part in first["loc"][1:] if part != "payload") or None
    message = f"{field or 'The request'}: {_reason(first)}. Nothing was changed."
    return answer(request, Problem(status=422, code="invalid", message=message, field=field))


def _reason(error: dict[str, Any]) -> str:
    reason = str(error["msg"]).removeprefix("Value error, ").rstrip(".")
    return reason[:1].lower() + reason[1:]


@api.exception_handler(Exception)
def on_bug(request: HttpRequest, error: Exception) -> HttpResponse:
    """Let Django log it and answer (`webapp.responses.server_error`)."""
    raise error


def open_to_programs() -> tuple[list[Any], str, str]:
    """The API's addresses, kept from the sign-in page: the API itself tells who may do what."""
    addresses: Any = api.urls  # patterns, app name, namespace
    for pattern in addresses[0]:
        login_not_required(pattern.callback)
    return addresses
