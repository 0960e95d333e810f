"""Teaching a tag, and saying what is right, as people do it: in a browser."""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from search.teaching.asking import How
from tests.e2e.conftest import SignIn
from tests.factories import a_photo, a_sight, a_user, an_embedding
from webapp.accounts.models import User
from webapp.find.history.models import SearchDeed
from webapp.library.models import Photo
from webapp.library.services.reading import chosen
from webapp.teach.models import PhotoTag
from webapp.teach.taught.models import TaughtAnswer
from webapp.teach.taught.teaching import begin

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def ana() -> User:
    return a_user("ana")


def a_library(user: User) -> tuple[list[Photo], list[Photo]]:
    """Ten photos of Miso, who looks like herself, before twenty of other things."""
    others = [a_photo(user) for _ in range(20)]
    for photo in others:
        a_sight(photo, tags=[("sofa", 0.9)])
    miso = an_embedding(seed=1)
    of_miso = [a_photo(user) for _ in range(10)]
    for photo in of_miso:
        vector = miso + 0.15 * an_embedding()
        a_sight(photo, embedding=(vector / np.linalg.norm(vector)).astype(np.float32))
    return of_miso, others


def test_a_tag_is_taught_from_a_selection_and_then_used(sign_in: SignIn, ana: User) -> None:
    of_miso, _ = a_library(ana)  # the newest, so the first in the library
    page = sign_in(ana, viewport=DESKTOP)
    page.goto("/")
    for number in range(5):
        page.get_by_role("checkbox").nth(number).check()
    page.get_by_role("button", name="Teach", exact=True).click()
    page.get_by_label("What do they show?").fill("Miso")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Does this show miso?")).to_be_visible()
    expect(page.get_by_text("It is too early to judge.")).to_be_visible()

    answered = [answer_by_key(page, of_miso) for _ in range(8)]
    assert len(set(answered)) == 8
    expect(page.get_by_text(re.compile("It finds .* of 10|It finds nearly all"))).to_be_visible()
    page.keyboard.press("u")
    expect(page.locator(f'#round-question a[href="/photos/{answered[-1]}/"]')).to_be_visible()

    page.get_by_role("button", name="Use it in my library").click()
    expect(page.get_by_text("“miso” now tags your library, and every new photo.")).to_be_visible()
    page.goto("/search/?q=tag:miso")
    expect(page.get_by_role("checkbox")).to_have_count(10)
    assert set(PhotoTag.objects.filter(tag__name="miso").values_list("source", flat=True)) <= {
        *("person", "taught", "rejected"),
    }


def test_an_answer_given_at_once_stays_in_its_round(sign_in: SignIn, ana: User) -> None:
    """A form that is not wired yet would load the page anew, and the round would begin again."""
    of_miso, _ = a_library(ana)
    taught = begin(ana, "Miso", chosen(ana, [photo.pk for photo in of_miso[:5]]))
    page = sign_in(ana, viewport=DESKTOP)
    page.goto(f"/teach/{taught.pk}/")
    page.evaluate(
        """() => {
          document.body.dataset.left = 2;
          document.addEventListener("htmx:afterSwap", () => {
            if (document.body.dataset.left-- > 0)
              setTimeout(() => document.querySelector("[data-key=n]").click());
          });
        }"""
    )
    page.keyboard.press("n")
    expect(page.locator("body")).to_have_attribute("data-left", "-1")
    assert TaughtAnswer.objects.filter(taught=taught).exclude(how=How.EXAMPLE).count() == 3


def answer_by_key(page: Page, of_miso: list[Photo]) -> int:
    """Answer the question with the key that is true; returns which photo it was about."""
    link = page.locator("#round-question figure a")
    address = str(link.get_attribute("href"))
    photo_id = int(address.split("/")[2])
    page.keyboard.press("y" if photo_id in {photo.pk for photo in of_miso} else "n")
    expect(page.locator(f'#round-question a[href="{address}"]')).to_have_count(0)
    return photo_id


def test_examples_are_picked_by_a_search_on_a_phone(sign_in: SignIn, ana: User) -> None:
    a_library(ana)
    page = sign_in(ana, viewport=PHONE, has_touch=True, is_mobile=True)
    page.goto("/teach/")
    page.get_by_label("What is it called?").fill("our sofa")
    page.get_by_role("button", name="Begin").click()
    page.get_by_label("Search your photos for examples").fill("tag:sofa")
    page.get_by_role("button", name="Search", exact=True).click()
    for box in page.locator(".teach-picks input").all()[:5]:
        box.check()
    page.get_by_role("button", name="These show our sofa").click()
    expect(page.get_by_role("heading", name="Does this show our sofa?")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_what_was_said_is_taken_back_from_the_message_and_from_the_history(
    sign_in: SignIn, ana: User
) -> None:
    photo = a_photo(ana)
    a_sight(photo, caption="a cat on a sofa", tags=[("cat", 0.9)])
    page = sign_in(ana, viewport=DESKTOP)
    page.goto(f"/photos/{photo.pk}/")
    cat = page.get_by_role("link", name="cat", exact=True)
    page.get_by_role("button", name="Remove the tag cat").click()
    expect(cat).to_have_count(0)
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(cat).to_be_visible()
    page.get_by_role("button", name="Confirm the tag cat").click()
    expect(page.get_by_role("button", name="Confirm the tag cat")).to_have_count(0)
    page.get_by_text("What was said about this photo").click()
    page.get_by_role("button", name="Undo: confirmed the tag “cat”").click()
    expect(page.get_by_role("button", name="Confirm the tag cat")).to_be_visible()
    expect(page.get_by_text("took back: confirmed the tag “cat”")).to_be_visible()


def test_a_selection_of_results_is_renamed_and_taken_back(sign_in: SignIn, ana: User) -> None:
    a_library(ana)
    page = sign_in(ana, viewport=DESKTOP)
    page.goto("/search/?q=tag:sofa")
    page.get_by_role("checkbox").nth(0).check()
    page.keyboard.press("ControlOrMeta+a")
    page.get_by_role("button", name="Tag", exact=True).click()
    page.get_by_label("Rename a tag").check()
    page.get_by_label("Tag", exact=True).fill("sofa")
    page.get_by_label("New name").fill("couch")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Tag renamed on 20 photos.")).to_be_visible()
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Taken back on 20 photos.")).to_be_visible()
    expect(page.get_by_role("checkbox")).to_have_count(20)


def test_a_selection_of_results_is_not_what_was_searched_for(sign_in: SignIn, ana: User) -> None:
    a_library(ana)
    page = sign_in(ana, viewport=DESKTOP)
    page.goto("/search/?q=sofa")
    boxes = page.get_by_role("checkbox")
    count = boxes.count()
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.get_by_role("button", name="Not this", exact=True).click()
    expect(page.get_by_text("They come last for this search from now on.")).to_be_visible()
    expect(boxes).to_have_count(count - 2)
    assert SearchDeed.objects.marks().filter(user=ana).count() == 2
