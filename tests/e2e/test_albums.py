"""Albums and the text in photos, as a person meets them."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_pages import DESKTOP, PHONE, a_library, tile
from tests.factories import a_sight, a_user
from webapp.accounts.models import User
from webapp.albums.models import Album, AlbumPhoto
from webapp.teach import reading

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

SignIn = Callable[..., Page]


@pytest.fixture
def ana() -> User:
    return a_user("ana")


def select(page: Page, *numbers: int) -> None:
    for number in numbers:
        page.locator(".tile-check").nth(number).check()


@pytest.mark.parametrize("look", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_photos_go_into_an_album_and_the_album_can_be_changed(
    sign_in: SignIn, ana: User, look: dict[str, int]
) -> None:
    photos = a_library(ana, 6)
    page = sign_in(ana, viewport=look)
    page.goto("/")
    select(page, 0, 1, 2)
    page.get_by_role("button", name="Album", exact=True).click()
    page.get_by_label("Album", exact=True).fill("Italy 2019")
    page.get_by_role("button", name="Put in").click()
    expect(page.get_by_text("3 photos put into the album.")).to_be_visible()
    assert AlbumPhoto.objects.count() == 3

    page.get_by_role("link", name="Albums").click()
    page.get_by_role("link", name=re.compile("Italy 2019")).click()
    expect(page.get_by_role("heading", name="Italy 2019")).to_be_visible()
    expect(page.locator(".tile")).to_have_count(3)

    select(page, 1)
    page.get_by_role("button", name="Take out").click()
    expect(page.locator(".tile")).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".tile")).to_have_count(3)

    page.locator(tile(page, photos[0])).click()
    page.get_by_role("link", name="Back to Italy 2019").click()

    page.get_by_label("Rename or delete the album").click()
    page.get_by_label("Name", exact=True).fill("Tuscany")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", name="Tuscany")).to_be_visible()
    page.get_by_label("Rename or delete the album").click()
    page.get_by_role("button", name="Delete the album").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the album").click()
    expect(page.get_by_text("Its photos are still here")).to_be_visible()
    assert not Album.objects.exists()


def test_the_text_in_a_photo_can_be_selected(sign_in: SignIn, ana: User) -> None:
    (photo,) = a_library(ana, 1)
    a_sight(photo)
    assert reading.begin(photo)
    reading.store_text(photo, [("HOTEL", 0.9, (0, 0, 1, 1)), ("ROMA", 0.9, (0, 0, 1, 1))])
    page = sign_in(ana, viewport=DESKTOP)
    page.goto(f"/photos/{photo.pk}/")

    lines = page.locator(".read-lines")
    expect(lines).to_be_visible()
    lines.select_text()
    assert page.evaluate("getSelection().toString()") == "HOTEL\nROMA"
