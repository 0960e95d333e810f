"""Pages about accounts: the first visit, sign-in, one's own account, and tokens.

Those for administrators are in `webapp.accounts.people`.
"""

import math
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from webapp.accounts.forms import (
    ChangePasswordForm,
    FirstVisitForm,
    SettingsForm,
    SignInForm,
    TokenForm,
)
from webapp.accounts.http import SignedInRequest
from webapp.accounts.models import ApiToken, User
from webapp.accounts.services import create_administrator, note_language, somebody_exists
from webapp.errors import NotFound
from webapp.library.models import Photo
from webapp.library.services.adding import used_bytes
from webapp.responses import Problem, answer

form_methods = require_http_methods(["GET", "HEAD", "POST"])

MAX_ATTEMPTED_NAME = 255

BACKEND = "django.contrib.auth.backends.ModelBackend"


@login_not_required
@never_cache
@sensitive_post_parameters()
@form_methods
def set_up(request: HttpRequest) -> HttpResponse:
    """The first visit: make the administrator and sign them in."""
    if somebody_exists():
        return redirect("accounts:sign_in")
    form = FirstVisitForm(request.POST or None)
    if not form.is_valid():
        return render(request, "accounts/set_up.html", {"form": form})
    user = create_administrator(form.save(commit=False))
    note_language(user, request.headers.get("Accept-Language", ""))
    login(request, user, backend=BACKEND)
    return redirect("library:page")


class SignIn(LoginView):
    """Django's view makes a new session and follows `next` only within this site."""

    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user: Any = form.get_user()
        note_language(user, self.request.headers.get("Accept-Language", ""))
        return super().form_valid(form)


sign_in = form_methods(SignIn.as_view())


def attempted_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """The name that an attempt counts against, no longer than django-axes can store."""
    name = (credentials or request.POST).get("username") or ""
    return str(name)[:MAX_ATTEMPTED_NAME]


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """Too many wrong passwords; every further one starts the pause again."""
    pause_s = math.ceil(settings.AXES_COOLOFF_TIME * 3600)
    message = (
        "There were too many wrong passwords for this name. "
        f"Sign-in is paused; try again in {_minutes(pause_s)}."
    )
    answered = answer(request, Problem(status=429, code="locked_out", message=message))
    answered["Retry-After"] = str(pause_s)
    return answered


def _minutes(seconds: int) -> str:
    minutes = math.ceil(seconds / 60)
    return "a minute" if minutes == 1 else f"{minutes} minutes"


@form_methods
def home(request: SignedInRequest) -> HttpResponse:
    """My account: how much is here, what I can choose, and where the rest is."""
    form = SettingsForm(request.POST or None, instance=request.user, initial=_chosen(request.user))
    if form.is_valid():
        form.save()
        messages.success(request, "Your settings are saved.")
        return redirect("accounts:home")
    context = {
        "form": form,
        "photos": Photo.objects.visible_to(request.user).in_library().count(),
        "used_bytes": used_bytes(request.user),
        "quota_bytes": settings.MAREA_USER_QUOTA_MB << 20,
    }
    return render(request, "accounts/home.html", context)


def _chosen(user: User) -> dict[str, str]:
    return {"caption_language": user.language.value}


class ChangePassword(PasswordChangeView):
    """Django's view keeps this session and thereby ends all others of the user."""

    template_name = "accounts/password.html"
    form_class = ChangePasswordForm
    success_url = reverse_lazy("accounts:home")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, "Your password is changed. Other devices are signed out.")
        return super().form_valid(form)


password = form_methods(ChangePassword.as_view())


@never_cache
@form_methods
def tokens(request: SignedInRequest) -> HttpResponse:
    """The user's API tokens; a new one's secret is in this answer and never again."""
    form = TokenForm(request.POST or None)
    secret = ""
    if form.is_valid():
        secret = ApiToken.issue(request.user, **form.cleaned_data)[1]
        form = TokenForm()
    mine = ApiToken.objects.visible_to(request.user)
    context = {"form": form, "tokens": mine, "secret": secret}
    return render(request, "accounts/tokens.html", context)


@require_POST
def revoke_token(request: SignedInRequest, token_id: int) -> HttpResponse:
    revoked, _ = ApiToken.objects.visible_to(request.user).filter(pk=token_id).delete()
    if not revoked:
        raise NotFound("There is no such token.")
    messages.success(request, "The token is revoked. Programs that used it are locked out.")
    return redirect("accounts:tokens")
