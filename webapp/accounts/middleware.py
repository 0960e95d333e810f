"""Who gets in: the first visit makes the administrator, after that people sign in."""

from collections.abc import Callable

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, resolve_url

from webapp.accounts.services import somebody_exists
from webapp.responses import API_PREFIX, Problem, answer, prefers_json

OPEN_BEFORE_SET_UP = (API_PREFIX, "/healthz")


class FirstVisitMiddleware:
    """Send people to the page that makes the administrator while there is no user."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(OPEN_BEFORE_SET_UP) or somebody_exists():
            return self.get_response(request)
        set_up = resolve_url("accounts:set_up")
        if request.path_info == set_up:
            return self.get_response(request)
        return redirect(set_up)


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Pages lead to sign-in; scripts are told, since they cannot follow a page."""

    def handle_no_permission(  # type: ignore[override]  # Django itself only ever redirects
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseBase:
        if not prefers_json(request):
            return super().handle_no_permission(request, view_func)
        message = "You are signed out. Reload the page and sign in; nothing was changed."
        return answer(request, Problem(status=401, code="sign_in_needed", message=message))
