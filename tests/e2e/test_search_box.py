"""The search box takes pictures and, where the browser recognises speech, what is said."""

import base64
import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.e2e.conftest import SignIn
from tests.factories import a_photo, a_sight, a_user, an_embedding, image_bytes
from webapp.find.history.models import SearchDeed
from webapp.library.models import Photo, Worker
from workers import looking

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
pytestmark.append(pytest.mark.usefixtures("valkey"))

# What a browser has that recognises speech. It hears "two dogs" and ends by itself.
SPEECH = """
window.started = [];
window.SpeechRecognition = class extends EventTarget {
  static async available({ processLocally }) { return STATE; }
  static async install() { window.installed = true; return true; }
  start() {
    window.started.push(this.processLocally);
    setTimeout(() => {
      const results = [Object.assign([{ transcript: "two dogs" }], { isFinal: true })];
      this.dispatchEvent(Object.assign(new Event("result"), { results }));
      this.dispatchEvent(new Event("end"));
    }, 50);
  }
  stop() {}
};
"""
MICROPHONE = "Search by voice"


def drop(page: Page, content: bytes, name: str, media_type: str) -> None:
    """Let go of a file over the search box, as from a folder of the desktop."""
    encoded = base64.b64encode(content).decode()
    transfer = page.evaluate_handle(
        """([encoded, name, type]) => {
          const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], name, { type }));
          return transfer;
        }""",
        [encoded, name, media_type],
    )
    page.dispatch_event("[data-search-box]", "dragover", {"dataTransfer": transfer})
    expect(page.locator(".search-box")).to_have_class("search-box is-over")
    page.dispatch_event("[data-search-box]", "drop", {"dataTransfer": transfer})


def test_a_picture_dropped_on_the_box_finds_what_is_like_it(sign_in: SignIn) -> None:
    ana = a_user("ana")
    same, other = (image_bytes(size=(320, 240), seed=seed) for seed in (1, 2))
    for content in (same, other):
        a_photo(ana, data=content, state=Photo.State.WAITING, width=320, height=240)
    looking.look(seconds=60, stopping=lambda: False)
    now = timezone.now()
    Worker.objects.create(name="look@here", queues="look", pid=1, started_at=now, seen_at=now)
    page = sign_in(ana)
    page.goto("/")

    drop(page, same, "elsewhere.jpg", "image/jpeg")
    expect(page.get_by_text("Looking at your picture")).to_be_visible()
    looking.look_at_pictures()

    tiles = page.locator(".tile")
    expect(tiles).to_have_count(2)
    first = Photo.objects.order_by("pk").first()
    expect(tiles.first).to_have_attribute("data-id", str(first.pk))
    expect(page.get_by_role("img", name="Like this: Your picture")).to_be_visible()
    page.get_by_role("combobox").fill("at night")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Like this, at night")).to_be_visible()
    page.get_by_role("link", name="Without this example").click()
    expect(page).to_have_url(re.compile(r"/search/\?q=at\+night$"))


def test_a_dropped_file_that_is_no_picture_is_answered_in_a_sentence(sign_in: SignIn) -> None:
    page = sign_in(a_user("ana"), expected="422")
    page.goto("/search/")
    drop(page, b"Dear all, this is a letter.", "letter.txt", "text/plain")
    expect(page.locator(".toast.error")).to_contain_text("The file is not a photo")
    expect(page).to_have_url(re.compile(r"/search/$"))


def test_several_selected_photos_are_examples_together(sign_in: SignIn) -> None:
    ana = a_user("ana")
    photos = [a_photo(ana) for _ in range(3)]
    for photo in photos:
        a_sight(photo)
    page = sign_in(ana)
    page.goto("/")
    for number in range(2):
        page.locator(".tile-check").nth(number).check()
    page.get_by_role("button", name="Find similar").click()
    expect(page.locator(".likeness li")).to_have_count(2)
    expect(page.locator(".tile")).to_have_count(1)


def test_a_photo_that_is_not_like_the_example_is_marked_and_brought_back(sign_in: SignIn) -> None:
    ana = a_user("ana")
    photos = [a_photo(ana) for _ in range(3)]
    for photo in photos:
        a_sight(photo, embedding=an_embedding(seed=1))
    page = sign_in(ana)
    page.goto(f"/search/?like={photos[0].pk}")
    tiles = page.locator(".tile")
    expect(tiles).to_have_count(2)
    first = tiles.first.get_attribute("data-id")

    tiles.first.hover()
    tiles.first.locator("[data-not-this]").click()
    expect(tiles).to_have_count(1)
    mark = SearchDeed.objects.get()
    assert (mark.examples, str(mark.photo_id)) == (str(photos[0].pk), first)

    page.get_by_role("button", name="Undo").click()
    expect(tiles).to_have_count(2)
    assert not SearchDeed.objects.exists()


def test_a_browser_that_recognises_no_speech_has_no_microphone(sign_in: SignIn) -> None:
    page = sign_in(a_user("ana"))
    page.add_init_script("delete window.SpeechRecognition; delete window.webkitSpeechRecognition;")
    page.goto("/search/")
    expect(page.get_by_role("button", name="Search by a picture")).to_be_visible()
    expect(page.get_by_role("button", name=MICROPHONE)).to_have_count(0)


def test_box_and_buttons_fit_a_phone(sign_in: SignIn) -> None:
    page = sign_in(a_user("ana"), viewport={"width": 360, "height": 740}, has_touch=True)
    page.add_init_script(SPEECH.replace("STATE", "'available'"))
    page.goto("/search/")
    expect(page.get_by_role("button", name=MICROPHONE)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.locator("[data-menu] summary").bounding_box()["x"] < 360 - 40


def test_what_is_said_is_searched_for_on_this_device(sign_in: SignIn) -> None:
    page = sign_in(a_user("ana"))
    page.add_init_script(SPEECH.replace("STATE", "'available'"))
    page.goto("/search/")
    page.get_by_role("button", name=MICROPHONE).click()
    expect(page).to_have_url(re.compile(r"/search/\?q=two\+dogs$"))
    expect(page.get_by_role("combobox")).to_have_value("two dogs")


def test_speech_leaves_the_device_only_after_a_yes(sign_in: SignIn) -> None:
    page = sign_in(a_user("ana"))
    page.add_init_script(SPEECH.replace("STATE", "'unavailable'"))
    page.goto("/search/")
    page.get_by_role("button", name=MICROPHONE).click()
    expect(page.get_by_role("dialog")).to_contain_text("send the recording over the internet")
    page.get_by_role("button", name="Rather type").click()
    assert page.evaluate("window.started") == []
    page.get_by_role("button", name=MICROPHONE).click()
    page.get_by_role("button", name="Send and search by voice").click()
    expect(page).to_have_url(re.compile(r"/search/\?q=two\+dogs$"))


def test_what_the_device_lacks_is_fetched_before_it_listens(sign_in: SignIn) -> None:
    page = sign_in(a_user("ana"))
    page.add_init_script(SPEECH.replace("STATE", "'downloadable'").replace("50)", "1e6)"))
    page.goto("/search/")
    page.get_by_role("button", name=MICROPHONE).click()
    expect(page.get_by_role("button", name="Stop listening")).to_be_visible()
    assert page.evaluate("[window.installed, window.started]") == [True, [True]]
