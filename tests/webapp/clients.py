"""Who asks: somebody in a browser, and a program with a token."""

from typing import Any

from django.test import Client

from tests.factories import a_token
from webapp.accounts.models import User


def browser_of(user: User | None, **options: Any) -> Client:
    """A browser in which `user` is signed in; without one nobody is."""
    client = Client(**options)
    if user:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def program_of(user: User, scope: str = "write") -> Client:
    return Client(headers={"Authorization": f"Bearer {a_token(user, scope=scope)}"})
