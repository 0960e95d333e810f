"""The search box understands: chips that can be removed and turned around, and completion."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import SignIn
from tests.factories import a_photo, a_sight, a_user
from webapp.accounts.models import User
from webapp.find.query import lexicon
from webapp.library.models import Photo
from webapp.library.services.places import place, remember_places

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

DESKTOP = {"width": 1280, "height": 800}


@pytest.fixture
def ana() -> User:
    lexicon.forget()
    ana = a_user("ana")
    for number, tags in enumerate((["beach"], ["beach", "dog"], ["golden retriever"])):
        photo = a_photo(ana, latitude=41.89, longitude=12.49 if number else 2.17)
        a_sight(photo, tags=[(tag, 0.9) for tag in tags])
        place(photo)
        photo.save()
        remember_places([photo])
    return ana


def open_search(page: Page, words: str = "") -> None:
    page.goto("/")
    page.get_by_role("combobox", name="Search your photos").fill(words)


def test_chips_are_removed_and_turned_around_by_click_and_by_keyboard(
    sign_in: SignIn, ana: User
) -> None:
    page = sign_in(ana, viewport=DESKTOP)
    page.goto("/search/?q=tag:beach+in+Rome+without+dogs")
    chips = page.get_by_role("list", name=re.compile("What was understood"))
    expect(chips.get_by_role("listitem")).to_have_text(
        [re.compile("tagged beach"), re.compile("in Rome"), re.compile("without dogs")]
    )
    expect(page.get_by_text("No photo matches")).to_be_visible()

    chips.get_by_role("link", name="without dogs", exact=True).click()
    expect(chips.get_by_text("shows dogs")).to_be_visible()
    expect(page.get_by_role("checkbox")).to_have_count(1)
    expect(page.get_by_role("combobox")).to_have_value("tag:beach place:Rome shows:dogs")

    chips.get_by_role("link", name="Remove “shows dogs”").focus()
    page.keyboard.press("Enter")
    expect(chips.get_by_role("listitem")).to_have_count(2)
    chips.get_by_role("link", name="in Rome", exact=True).focus()
    page.keyboard.press("Delete")
    expect(page.get_by_role("combobox")).to_have_value("tag:beach")
    expect(page.get_by_role("checkbox")).to_have_count(2)


def test_chips_work_without_scripts(sign_in: SignIn, ana: User) -> None:
    page = sign_in(ana, viewport=DESKTOP, java_script_enabled=False)
    page.goto("/search/?q=tag:beach")
    page.get_by_role("link", name="tagged beach", exact=True).click()
    expect(page).to_have_url(re.compile(r"q=-tag%3Abeach$"))
    assert page.locator(".tile").count() == Photo.objects.count() - 2


def test_what_is_typed_is_completed_by_arrow_keys(sign_in: SignIn, ana: User) -> None:
    page = sign_in(ana, viewport=DESKTOP)
    open_search(page, "gold")
    box, options = page.get_by_role("combobox"), page.get_by_role("option")
    expect(options).to_have_text([re.compile("golden retriever")])
    expect(box).to_have_attribute("aria-expanded", "true")

    page.keyboard.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", "completion-0")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="tagged golden retriever", exact=True)).to_be_visible()

    open_search(page, "beech")
    expect(options).to_have_text([re.compile("beach.*spelling")])
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    expect(box).to_have_attribute("aria-expanded", "false")


def test_a_completion_is_clicked_and_past_searches_are_offered(sign_in: SignIn, ana: User) -> None:
    page = sign_in(ana, viewport=DESKTOP)
    open_search(page, "place:it")
    page.get_by_role("option", name="Italy").click()
    expect(page.get_by_role("link", name="in Italy", exact=True)).to_be_visible()

    open_search(page, "")
    expect(page.get_by_role("option", name="place:Italy")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, {"width": 390, "height": 844}])
def test_chips_notes_and_completions_fit(
    sign_in: SignIn, ana: User, scheme: str, size: dict[str, int]
) -> None:
    page = sign_in(ana, viewport=size, color_scheme=scheme)
    page.goto("/search/?q=tag:beach+in+Rome+without+cats+not+in+december+before+2030+31+february")
    expect(page.get_by_text("There is no 31 February; searched for it as text.")).to_be_visible()
    page.get_by_role("combobox").fill("be")
    expect(page.get_by_role("option").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
