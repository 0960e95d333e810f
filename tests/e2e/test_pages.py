"""The library, a photo, selecting, the trash and searching, as a person meets them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from tests.factories import a_photo, a_sight, a_user, image_bytes
from vision.heat import heat_png
from webapp.accounts.models import User
from webapp.find.heat_maps import fail_heat_map, heat_map, store_heat_map
from webapp.find.models import HeatMap
from webapp.find.query.embedding import embed_query
from webapp.library.models import Photo
from webapp.teach.services import active_version

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

SignIn = Callable[..., Page]
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def ana() -> User:
    return a_user("ana")


def a_library(owner: User, count: int) -> list[Photo]:
    """`count` ready photos of several shapes, one a day, the newest first."""
    newest = datetime(2024, 6, 30, 12, tzinfo=UTC)
    shapes = [(64, 48), (48, 64), (64, 36), (60, 60)]
    photos = []
    for number in range(count):
        width, height = shapes[number % len(shapes)]
        photo = a_photo(
            owner,
            data=image_bytes(size=(width, height)),
            width=width * 50,
            height=height * 50,
            taken_at=newest - timedelta(days=number),
        )
        photos.append(photo)
    return photos


def tile(page: Page, photo: Photo) -> str:
    return f"#photo-{photo.pk}"


def test_the_library_grows_under_the_scrolling_and_nothing_jumps(
    sign_in: SignIn, ana: User
) -> None:
    photos = a_library(ana, 130)
    page = sign_in(ana, viewport=DESKTOP)
    page.goto("/")
    expect(page.get_by_role("heading", name="June 2024")).to_be_visible()
    expect(page.locator(f"{tile(page, photos[0])} img")).to_have_js_property("complete", True)
    expect(page.locator(tile(page, photos[-1]))).to_have_count(0)  # far below: not there yet
    page.evaluate("""() => {
        window.shifted = 0;
        new PerformanceObserver((list) => {
            for (const it of list.getEntries()) shifted += it.hadRecentInput ? 0 : it.value;
        }).observe({ type: "layout-shift" });
    }""")
    height = page.evaluate("document.documentElement.scrollHeight")
    page.mouse.move(700, 500)
    for _ in range(16):
        page.mouse.wheel(0, 600)
        page.wait_for_timeout(30)
    expect(page.locator(f"{tile(page, photos[-1])} img")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollHeight") == height
    assert page.evaluate("shifted") < 0.01
    expect(page.locator(tile(page, photos[0]))).to_have_count(0)  # released


def test_the_scrubber_leads_to_a_month_by_keyboard(sign_in: SignIn, ana: User) -> None:
    a_library(ana, 130)
    page = sign_in(ana, viewport=DESKTOP)
    page.goto("/")
    scrubber = page.get_by_role("slider", name="Jump to a month")
    scrubber.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(scrubber).to_have_attribute("aria-valuetext", "April 2024")
    expect(page.get_by_role("heading", name="April 2024")).to_be_in_viewport()


def test_selecting_a_range_trashing_and_undoing(sign_in: SignIn, ana: User) -> None:
    photos = a_library(ana, 12)
    page = sign_in(ana, viewport=DESKTOP)
    page.goto("/")
    page.get_by_role("checkbox").nth(1).check()
    page.get_by_role("checkbox").nth(5).click(modifiers=["Shift"])
    bar = page.get_by_role("toolbar", name="Selected photos")
    expect(bar.get_by_role("status")).to_have_text("5 selected")
    bar.get_by_role("button", name="Trash").click()
    expect(page.get_by_text("5 photos moved to the trash.")).to_be_visible()
    expect(page.locator(tile(page, photos[1]))).to_have_count(0)
    assert Photo.objects.in_trash().count() == 5
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(tile(page, photos[1]))).to_be_visible()
    assert Photo.objects.in_trash().count() == 0


def test_a_month_is_selected_at_once(sign_in: SignIn, ana: User) -> None:
    a_library(ana, 35)  # all of June 2024 and five days of May
    page = sign_in(ana, viewport=DESKTOP)
    page.goto("/")
    status = page.get_by_role("toolbar").get_by_role("status")
    page.get_by_role("button", name="Select June 2024").click()
    expect(status).to_have_text("30 selected")
    page.keyboard.press("ControlOrMeta+a")
    expect(status).to_have_text("35 selected")
    page.get_by_role("button", name="Select June 2024").click()
    expect(status).to_have_text("5 selected")


def test_a_tag_for_several_photos(sign_in: SignIn, ana: User) -> None:
    a_library(ana, 4)
    page = sign_in(ana, viewport=DESKTOP)
    page.goto("/")
    page.get_by_role("checkbox").nth(0).check()
    page.get_by_role("checkbox").nth(1).check()
    page.get_by_role("button", name="Tag").click()
    page.get_by_label("Tag", exact=True).fill("Summer")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 photos tagged.")).to_be_visible()
    page.goto("/search/?q=tag:summer")
    expect(page.get_by_role("checkbox")).to_have_count(2)


def test_a_download_of_several_photos_is_a_zip(sign_in: SignIn, ana: User) -> None:
    a_library(ana, 3)
    page = sign_in(ana, viewport=DESKTOP)
    page.goto("/")
    page.get_by_role("checkbox").nth(0).check()
    page.get_by_role("checkbox").nth(2).check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename.endswith("-2-photos.zip")


def test_everything_by_keyboard(sign_in: SignIn, ana: User) -> None:
    photos = a_library(ana, 12)
    page = sign_in(ana, viewport=DESKTOP)
    page.goto("/")
    page.locator(tile(page, photos[0])).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    expect(page.get_by_role("toolbar").get_by_role("status")).to_have_text("1 selected")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"/photos/{photos[1].pk}/")
    expect(page.locator("#photo img.is-fitted")).to_be_visible()  # its script listens by now
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(f"/photos/{photos[2].pk}/")
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="Favourite")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.locator(tile(page, photos[2]))).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="Search your photos")).to_be_focused()
    page.keyboard.type("is:favourite")
    page.keyboard.press("Enter")
    expect(page.get_by_role("checkbox")).to_have_count(1)
    assert Photo.objects.get(is_favourite=True) == photos[2]


def test_correcting_what_the_model_says(sign_in: SignIn, ana: User) -> None:
    photo = a_library(ana, 1)[0]
    a_sight(photo, caption="a cat on a sofa", tags=[("cat", 0.9)])
    page = sign_in(ana, viewport=DESKTOP)
    page.goto(f"/photos/{photo.pk}/")
    page.get_by_role("button", name="Remove the tag cat").click()
    expect(page.get_by_role("link", name="cat", exact=True)).to_have_count(0)
    page.get_by_label("Add a tag").fill("Dog")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="dog", exact=True)).to_be_visible()
    page.get_by_text("Edit the caption").click()
    page.get_by_label("What the photo shows").fill("Rex on the sofa")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".caption-text")).to_have_text("Rex on the sofa")
    page.reload()
    expect(page.get_by_role("img", name="Rex on the sofa")).to_be_visible()


def test_a_photo_trashed_on_its_page_comes_back_by_one_click(sign_in: SignIn, ana: User) -> None:
    first, second = a_library(ana, 2)
    page = sign_in(ana, viewport=DESKTOP)
    page.goto(f"/photos/{first.pk}/")
    page.keyboard.press("Delete")
    page.wait_for_url(f"**/photos/{second.pk}/")
    told = page.locator(".toast")
    expect(told).to_contain_text("1 photo moved to the trash.")
    told.get_by_role("button", name="Undo").click()
    page.wait_for_url(f"**/photos/{first.pk}/")
    expect(page.locator(".toast")).to_contain_text("1 photo restored.")
    first.refresh_from_db()
    assert first.trashed_at is None


def test_whoever_waits_for_a_slow_server_sees_that(sign_in: SignIn, ana: User) -> None:
    first, second = a_library(ana, 2)
    page = sign_in(ana, viewport=DESKTOP)
    page.goto(f"/photos/{first.pk}/")
    line = page.locator(".wait-line")
    expect(line).to_be_hidden()
    held: list[Route] = []
    page.route(f"**/photos/{second.pk}/", lambda route: held.append(route))
    page.keyboard.press("ArrowRight")
    expect(line).to_be_visible()
    held[0].continue_()
    page.wait_for_url(f"**/photos/{second.pk}/")
    expect(line).to_be_hidden()


def test_a_form_that_is_unfolded_waits_for_words(sign_in: SignIn, ana: User) -> None:
    (photo,) = a_library(ana, 1)
    page = sign_in(ana, viewport=DESKTOP)
    page.goto(f"/photos/{photo.pk}/")
    page.get_by_text("Write a caption").click()
    expect(page.get_by_label("What the photo shows")).to_be_focused()


def test_the_original_can_be_enlarged(sign_in: SignIn, ana: User) -> None:
    photo = a_library(ana, 1)[0]
    page = sign_in(ana, viewport=DESKTOP)
    page.goto(f"/photos/{photo.pk}/")
    page.get_by_role("link", name="Enlarge the photo").click()
    viewer = page.get_by_role("dialog")
    expect(viewer.locator(f'img[src*="/photos/{photo.pk}/original"]')).to_be_visible()
    page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)


def test_a_waiting_photo_appears_by_itself(sign_in: SignIn, ana: User) -> None:
    photo = a_photo(ana, state=Photo.State.WAITING)
    page = sign_in(ana, viewport=DESKTOP)
    page.goto("/")
    expect(page.get_by_text("Being looked at")).to_be_visible()
    a_sight(photo, caption="two dogs")
    expect(page.get_by_role("img", name="two dogs")).to_be_visible()


def test_deleting_for_good_is_asked_about_once(sign_in: SignIn, ana: User) -> None:
    photos = a_library(ana, 2)
    Photo.objects.update(trashed_at=datetime.now(UTC))
    page = sign_in(ana, viewport=DESKTOP)
    page.goto("/trash/")
    page.get_by_role("checkbox").nth(0).check()
    page.get_by_role("button", name="Delete for good").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep them").click()
    assert Photo.objects.count() == 2
    page.get_by_role("button", name="Delete for good").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("1 photo deleted for good.")).to_be_visible()
    assert list(Photo.objects.all()) == [photos[1]]


def test_a_long_press_selects_on_a_phone(sign_in: SignIn, ana: User) -> None:
    a_library(ana, 6)
    page = sign_in(ana, viewport=PHONE, has_touch=True, is_mobile=True)
    page.goto("/")
    box = page.locator(".tile").nth(1).bounding_box()
    assert box is not None
    touch = page.context.new_cdp_session(page)
    point = {"x": box["x"] + 20, "y": box["y"] + 20}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    expect(page.get_by_role("toolbar").get_by_role("status")).to_have_text("1 selected")
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.locator(".tile").nth(2).tap()
    bar = page.get_by_role("toolbar")
    expect(bar.get_by_role("status")).to_have_text("2 selected")
    for name in ("Favourite", "Tag", "Album", "Trash"):
        expect(bar.get_by_role("button", name=name, exact=True)).to_be_in_viewport(ratio=1)
    bar.get_by_role("button", name="More").tap()
    page.get_by_role("button", name="Teach", exact=True).tap()
    expect(page.get_by_role("heading", name="Teach a tag from the selected photos")).to_be_visible()
    expect(page.get_by_role("button", name="Find similar")).to_be_hidden()


def test_without_scripts_photos_can_be_seen_found_and_trashed(sign_in: SignIn, ana: User) -> None:
    photos = a_library(ana, 3)
    page = sign_in(ana, viewport=DESKTOP, java_script_enabled=False)
    page.goto("/")
    page.locator(f".without-scripts {tile(page, photos[1])}").click()
    page.get_by_role("button", name="Favourite").click()
    page.get_by_role("searchbox").fill("is:favourite")
    page.keyboard.press("Enter")
    page.locator(tile(page, photos[1])).click()
    page.get_by_role("button", name="Move to the trash").click()
    assert Photo.objects.in_trash().get() == photos[1]


def test_a_photo_found_shows_what_the_search_looked_at(sign_in: SignIn, ana: User) -> None:
    """A worker's part is done by hand: the page waits for it, lays it over, and says where."""
    photo = a_library(ana, 1)[0]
    a_sight(photo, embedding=embed_query(active_version(), "a dog"))
    page = sign_in(ana, viewport=DESKTOP)
    page.goto(f"/photos/{photo.pk}/?q=a+dog")
    button = page.get_by_role("button", name="Why it matched")
    note, layer = page.locator(".heat-note"), page.locator(".heat-map")

    with page.expect_response(re.compile("/heat")) as asked:  # which puts it on the worker's list
        page.keyboard.press("h")
        expect(note).to_contain_text("Drawing what the search looked at")
    assert asked.value.status == 202
    expect(button).to_have_attribute("aria-pressed", "true")
    heat = np.zeros((9, 9), np.float32)
    heat[7:, 7:] = 1.0
    store_heat_map(HeatMap.objects.get(), heat_png(heat, size=(64, 48)))

    expect(layer).to_be_visible()
    expect(note).to_have_text("The search looked most of all at the lower right of the photo.")
    photo_box = page.locator(".stage-zoom img").first.bounding_box()
    assert layer.bounding_box() == photo_box
    button.click()
    expect(layer).to_be_hidden()
    expect(button).to_have_attribute("aria-pressed", "false")


def test_a_map_that_cannot_be_is_explained(sign_in: SignIn, ana: User) -> None:
    photo = a_library(ana, 1)[0]
    a_sight(photo, embedding=embed_query(active_version(), "a dog"))
    reason = "The photo cannot be read: it is cut off."
    heat_map(ana, photo.pk, "a dog")
    fail_heat_map(HeatMap.objects.get(), reason)
    page = sign_in(ana, viewport=PHONE, expected="409 (Conflict)")
    page.goto(f"/photos/{photo.pk}/?q=a+dog")
    button = page.get_by_role("button", name="Why it matched")
    button.click()
    expect(page.locator(".heat-note")).to_have_text(reason)
    expect(button).to_have_attribute("aria-pressed", "false")
