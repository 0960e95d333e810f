"""A real browser on pages of a real server.

Tests of pages use `live_server`; those that need workers use `running_stack` (tests/stack.py).
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.needs import chromium
from webapp.accounts.models import User

# Playwright keeps an event loop in this thread; Django's ORM is used here all the same.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# The other half of the tests keeps the machine busy meanwhile; only a failure takes this long.
expect.set_options(timeout=30_000)

QUIET = ("--no-first-run", "--disable-background-networking", "--disable-component-update")

SignIn = Callable[..., Page]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium; a sandbox needs rights that containers lack."""
    arguments = [*QUIET, "--no-sandbox", "--disable-gpu", "--disable-sync"]
    return {**browser_type_launch_args, "executable_path": str(chromium()), "args": arguments}


@pytest.fixture
def sign_in(
    new_context: Callable[..., BrowserContext], live_server: LiveServer
) -> Iterator[SignIn]:
    """`sign_in(user, **options)` is a page in a browser of theirs.

    Its console must stay clean, save for errors with the words `expected`."""
    complaints: list[str] = []

    def page_of(user: User, *, expected: str = "favicon", **options: Any) -> Page:
        client = Client()
        client.force_login(user)
        context = new_context(base_url=live_server.url, **options)
        key = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url}]
        )
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: _complain(said, expected, complaints))
        return page

    yield page_of
    assert not complaints


def _complain(said: Any, expected: str, complaints: list[str]) -> None:
    if said.type == "error" and expected not in said.text:
        complaints.append(said.text)
