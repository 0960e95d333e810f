"""Who calls the API: a browser's session, or a program with a token."""

from typing import Any

from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from webapp.accounts.models import ApiToken, User
from webapp.accounts.services import note_use
from webapp.errors import Forbidden, SignInNeeded
from webapp.responses import CSRF

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class BearerToken(HttpBearer):
    """`Authorization: Bearer marea_…`. A token that is shown decides; no session steps in."""

    def authenticate(self, request: HttpRequest, token: str) -> User:
        found = ApiToken.objects.for_secret(token)
        if found is None:
            raise SignInNeeded("This API token is unknown or was revoked.", code="bad_token")
        if request.method not in SAFE_METHODS and found.scope != ApiToken.Scope.WRITE:
            raise Forbidden(
                "This API token may only read. Make one that may write to change photos.",
                code="read_only_token",
            )
        note_use(found)
        request.user = found.user
        return found.user


class SessionCookie(APIKeyCookie):
    """The cookie of a signed-in browser; changes also need the X-CSRFToken header."""

    param_name = "sessionid"

    def __init__(self) -> None:
        super().__init__(csrf=False)  # checked below, once it is known who asks

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        if not request.user.is_authenticated:
            return None
        if check_csrf(request):
            raise Forbidden(CSRF, code="csrf")
        return request.user
