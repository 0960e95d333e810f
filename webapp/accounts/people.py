"""Pages on which administrators look after people's accounts, never their photos."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from webapp.accounts.forms import AddUserForm
from webapp.accounts.http import SignedInRequest
from webapp.accounts.models import User
from webapp.accounts.services import deactivate, reactivate, reset_password
from webapp.errors import Conflict, NotFound

View = Callable[..., HttpResponse]


def for_administrators(view: View) -> View:
    @wraps(view)
    def checked(request: SignedInRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_superuser:
            raise PermissionDenied("Only administrators look after people's accounts.")
        return view(request, *args, **kwargs)

    return checked


@require_safe
@for_administrators
def users(request: SignedInRequest) -> HttpResponse:
    people = User.objects.order_by("-is_active", "username")
    return render(request, "accounts/users.html", {"people": people})


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def add_user(request: SignedInRequest) -> HttpResponse:
    form = AddUserForm(request.POST or None)
    if not form.is_valid():
        return render(request, "accounts/add_user.html", {"form": form})
    user = form.save()
    if form.generated_password:
        return _show_password(request, user, form.generated_password)
    messages.success(request, f"{user.username} can sign in now.")
    return redirect("accounts:users")


@never_cache
@require_POST
@for_administrators
def user_password(request: SignedInRequest, user_id: int) -> HttpResponse:
    """A new password for somebody who forgot theirs; it ends their sessions."""
    user = _other(request, user_id)
    return _show_password(request, user, reset_password(user))


@require_POST
@for_administrators
def deactivate_user(request: SignedInRequest, user_id: int) -> HttpResponse:
    user = _other(request, user_id)
    deactivate(user)
    messages.success(request, f"{user.username} can no longer sign in. Their photos are kept.")
    return redirect("accounts:users")


@require_POST
@for_administrators
def reactivate_user(request: SignedInRequest, user_id: int) -> HttpResponse:
    user = _other(request, user_id)
    reactivate(user)
    messages.success(request, f"{user.username} can sign in again.")
    return redirect("accounts:users")


def _other(request: SignedInRequest, user_id: int) -> User:
    """Somebody else: one's own account has pages of its own, and locking oneself out has none."""
    if user_id == request.user.pk:
        raise Conflict("This is your own account; it cannot be changed here.", code="yourself")
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise NotFound("There is no such person.")
    return user


def _show_password(request: SignedInRequest, user: User, password: str) -> HttpResponse:
    """In this answer only: nothing keeps the password, and browsers are told not to either."""
    context = {"person": user, "password": password}
    return render(request, "accounts/new_password.html", context)
