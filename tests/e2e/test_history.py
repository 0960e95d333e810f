"""The search history and “not what I searched for”, as a person meets them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.factories import a_photo, a_sight, a_user
from webapp.accounts.models import User
from webapp.find.history.models import SearchDeed
from webapp.find.query.embedding import embed_query
from webapp.library.models import Photo
from webapp.teach.services import active_version

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

SignIn = Callable[..., Page]
DESKTOP = {"width": 1440, "height": 900}


def dogs(owner: User, count: int = 3) -> list[Photo]:
    photos = [a_photo(owner, width=4000, height=3000) for _ in range(count)]
    for photo in photos:
        a_sight(photo, embedding=embed_query(active_version(), "dog"), tags=[("dog", 0.9)])
    return photos


def test_a_result_that_was_not_meant_leaves_and_comes_back(sign_in: SignIn) -> None:
    ana = a_user("ana")
    dogs(ana)
    page = sign_in(ana, viewport=DESKTOP)
    page.goto("/search/?q=dog")
    expect(page.locator(".tile")).to_have_count(3)
    first = page.locator(".tile").first
    first.hover()
    first.get_by_role("button", name="Not what I searched for").click()
    expect(page.locator(".tile")).to_have_count(2)
    expect(page.locator(".toast", has_text="comes last")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".tile")).to_have_count(3)

    page.locator(".tile-link").first.click()
    page.get_by_role("button", name="Not what I searched for").click()
    expect(page.locator(".tile")).to_have_count(2)


def test_the_history_is_read_switched_off_and_erased(sign_in: SignIn) -> None:
    ana = a_user("ana")
    dogs(ana)
    page = sign_in(ana, viewport=DESKTOP)
    for query in ("dog", "cat"):
        page.goto(f"/search/?q={query}")
    page.goto("/account/")
    page.get_by_role("link", name="Search history").click()
    expect(page.locator(".history-words")).to_have_count(2)
    page.get_by_role("button", name="Erase “cat”").click()
    expect(page.locator(".history-words")).to_have_count(1)
    page.get_by_role("button", name="Stop remembering").click()
    expect(page.get_by_role("heading", name="Nothing is written down")).to_be_visible()
    page.get_by_role("button", name="Erase all of it").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    expect(page.locator(".history-words")).to_have_count(1)
    page.get_by_role("button", name="Erase all of it").click()
    page.get_by_role("dialog").get_by_role("button", name="Erase it").click()
    expect(page.get_by_text("Nothing was searched for yet.")).to_be_visible()
    page.goto("/search/?q=dog")
    expect(page.locator(".tile")).to_have_count(3)
    expect(page.get_by_role("button", name="Not what I searched for")).to_have_count(0)
    assert not SearchDeed.objects.exists()
