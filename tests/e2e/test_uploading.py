"""Uploading in a real browser: choosing, dropping, refusals in words, pausing, and bad luck."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.factories import PASSWORD, a_photo, a_user, an_image_file, image_bytes
from webapp.accounts.models import User
from webapp.library.models import Photo, Upload
from webapp.library.services.uploads import path_of

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

MANY = 1_500
PATIENCE_MS = 60_000  # for machines that have much else to do


@pytest.fixture
def owner() -> User:
    return a_user("ana", password=PASSWORD)


@pytest.fixture
def page(
    owner: User, new_context: Callable[..., BrowserContext], live_server: LiveServer
) -> Iterator[Page]:
    """A page of the owner's browser. Refusals are no complaints: they are what is tested."""
    client = Client()
    client.force_login(owner)
    context = new_context(base_url=live_server.url)
    name = settings.SESSION_COOKIE_NAME
    key = client.cookies[name].value
    context.add_cookies([{"name": name, "value": key, "url": live_server.url}])
    expect.set_options(timeout=PATIENCE_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if _is_bad(said) else None)
    yield page
    assert not complaints


def _is_bad(said: Any) -> bool:
    return said.type == "error" and "Failed to load resource" not in said.text


def choose(page: Page, *paths: Path) -> None:
    open_upload(page)
    page.set_input_files("[data-part=photos]", list(paths))


def open_upload(page: Page) -> None:
    page.goto("/upload/")
    page.wait_for_load_state("networkidle")


def drop(page: Page, path: Path) -> None:
    """Drag a file or folder from the desktop onto the middle of the page and let it go."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 400, "y": 300, "data": data})


def serious_here(page: Page) -> list[str]:
    violations = Axe().run(page).response["violations"]
    return [each["id"] for each in violations if each["impact"] in ("serious", "critical")]


def row(page: Page, name: str) -> Any:
    return page.locator(".upload-row", has_text=name)


def expect_end(page: Page, words: str) -> None:
    expect(page.locator("[data-part=summary]")).to_contain_text(words, timeout=PATIENCE_MS)


def test_photos_are_added_and_each_file_tells_what_became_of_it(
    page: Page, owner: User, tmp_path: Path
) -> None:
    known = image_bytes(seed=1)
    a_photo(owner, data=known)
    (tmp_path / "known.jpg").write_bytes(known)
    (tmp_path / "cut.jpg").write_bytes(image_bytes(size=(640, 480))[:3000])
    (tmp_path / "clip.mp4").write_bytes(b"moving")
    with (tmp_path / "huge.jpg").open("wb") as file:
        file.truncate((settings.MAREA_MAX_FILE_MB + 1) << 20)
    new = an_image_file(tmp_path, "<b>new.jpg")
    names = ("known.jpg", "cut.jpg", "clip.mp4", "huge.jpg")
    sent: list[str] = []
    page.on("request", lambda each: sent.append(each.method + " " + each.url))

    choose(page, new, *(tmp_path / name for name in names))
    expect_end(page, "1 photo added, 1 was already in your library, 3 could not be added")
    expect(row(page, "new.jpg")).to_contain_text("Added")
    expect(row(page, "known.jpg")).to_contain_text("Already in your library")
    expect(row(page, "cut.jpg")).to_contain_text("The file is cut off")
    expect(row(page, "clip.mp4")).to_contain_text("is a video; Marea keeps photos")
    expect(row(page, "huge.jpg")).to_contain_text("is 201 MB; photos may be at most 200 MB")
    assert len([each for each in sent if each.endswith("/upload/files")]) == 2  # new and cut

    photo = Photo.objects.get(owner=owner, file_name="<b>new.jpg")
    assert photo.size_bytes == new.stat().st_size
    with page.expect_popup() as shown:
        row(page, "new.jpg").get_by_role("link").click()
    assert shown.value.url.endswith(f"/photos/{photo.pk}/")
    page.get_by_role("button", name="Show what was not added").click()
    expect(row(page, "known.jpg")).to_have_count(0)
    expect(page.locator(".upload-row")).to_have_count(3)
    assert serious_here(page) == []


def test_a_dropped_folder_is_uploaded_through_and_through(
    page: Page, owner: User, tmp_path: Path
) -> None:
    folder = tmp_path / "holiday"
    (folder / "day 1" / "beach").mkdir(parents=True)
    an_image_file(folder, "a.jpg")
    an_image_file(folder / "day 1", "b.png", kind="PNG")
    an_image_file(folder / "day 1" / "beach", "c.webp", kind="WEBP")
    (folder / ".DS_Store").write_text("not shown")

    open_upload(page)
    drop(page, folder)
    expect_end(page, "3 photos added.")
    expect(row(page, "holiday/day 1/beach/c.webp")).to_contain_text("Added")


def test_files_dropped_on_the_library_are_uploaded(page: Page, owner: User, tmp_path: Path) -> None:
    a_photo(owner)
    an_image_file(tmp_path, "a.jpg")
    page.goto("/")
    page.wait_for_load_state("networkidle")
    drop(page, tmp_path / "a.jpg")
    expect_end(page, "1 photo added.")
    assert page.url.endswith("/upload/")
    assert Photo.objects.filter(file_name="a.jpg").exists()


def test_uploading_pauses_without_a_connection_and_goes_on_with_it(
    page: Page, owner: User, tmp_path: Path
) -> None:
    photos = [an_image_file(tmp_path, f"{number}.jpg") for number in range(5)]
    open_upload(page)
    page.context.set_offline(True)
    page.set_input_files("[data-part=photos]", photos)
    notice = page.locator("[data-part=notice]")
    expect(notice).to_contain_text("The server cannot be reached")
    assert not Photo.objects.exists()

    page.context.set_offline(False)
    expect_end(page, "5 photos added.")
    expect(notice).to_be_hidden()


def test_who_is_signed_out_meanwhile_goes_on_after_signing_in_again(
    page: Page, owner: User, tmp_path: Path
) -> None:
    open_upload(page)
    Session.objects.all().delete()
    page.set_input_files("[data-part=photos]", an_image_file(tmp_path, "a.jpg"))
    expect(page.locator("[data-part=notice]")).to_contain_text("You are signed out")

    tab = page.context.new_page()
    tab.goto("/")
    tab.fill("[name=username]", owner.username)
    tab.fill("[name=password]", PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    tab.wait_for_url("**/")
    page.get_by_role("button", name="Go on").click()
    expect_end(page, "1 photo added.")


def test_thousands_of_files_stay_smooth_and_can_be_paused_and_cancelled(
    page: Page, tmp_path: Path
) -> None:
    for number in range(MANY):
        (tmp_path / f"{number:04}.txt").write_text(f"{number} is no photo")
    open_upload(page)
    page.set_input_files("[data-part=folder]", tmp_path)
    expect(page.locator("[data-part=count]")).to_contain_text(f"of {MANY:,} files done")
    assert page.locator(".upload-row").count() < 60

    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-part=pace]")).to_have_text("Paused")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(row(page, f"{MANY - 1}.txt")).to_be_visible()
    assert page.locator(".upload-row").count() < 60

    page.get_by_role("button", name="Cancel all").click()
    expect_end(page, "cancelled.")


def test_a_cancelled_file_can_be_sent_after_all(page: Page, owner: User, tmp_path: Path) -> None:
    photos = [an_image_file(tmp_path, name) for name in ("a.jpg", "b.jpg")]
    open_upload(page)
    page.context.set_offline(True)  # so that there is time
    page.set_input_files("[data-part=photos]", photos)
    expect(page.locator("[data-part=notice]")).to_be_visible()
    page.get_by_role("button", name="Cancel a.jpg").click()
    expect(row(page, "a.jpg")).to_contain_text("Cancelled")
    page.context.set_offline(False)
    expect_end(page, "1 photo added, 1 cancelled.")

    page.get_by_role("button", name="Retry a.jpg").click()
    expect_end(page, "2 photos added.")


def test_a_copy_of_a_broken_file_is_not_called_known(page: Page, tmp_path: Path) -> None:
    broken = [tmp_path / name for name in ("a.jpg", "b.jpg")]
    for path in broken:
        path.write_bytes(image_bytes(seed=7)[:-200])
    choose(page, *broken)
    expect_end(page, "Done: 2 could not be added.")


def test_leaving_while_uploading_asks_first(page: Page, tmp_path: Path) -> None:
    open_upload(page)
    page.context.set_offline(True)
    page.set_input_files("[data-part=photos]", an_image_file(tmp_path, "a.jpg"))
    page.locator("h1").click()  # browsers ask only people who have touched the page
    page.context.set_offline(False)
    page.route("**/upload/known", lambda route: None)  # nothing gets on
    with page.expect_event("dialog") as asked:
        page.evaluate("setTimeout(() => location.assign('/'))")
    assert asked.value.type == "beforeunload"
    asked.value.accept()


# Stands for a connection that hangs: the second piece never leaves the browser.
HANGING = """
const send = XMLHttpRequest.prototype.send;
let pieces = 0;
XMLHttpRequest.prototype.send = function (body) {
  if (body instanceof Blob && ++pieces > 1) return;
  send.call(this, body);
};
"""


def test_a_large_file_goes_on_where_it_was_when_the_page_was_closed(
    page: Page, owner: User, tmp_path: Path
) -> None:
    """Large files are read and sent in pieces of 32 MB; the page closes after the first."""
    photo = tmp_path / "large.bmp"
    Image.new("RGB", (3500, 3500), "teal").save(photo, "BMP")  # 35 MB
    page.add_init_script(HANGING)
    choose(page, photo)
    wait_for_bytes(owner, 32 << 20)
    page.close()

    again = page.context.new_page()
    offsets: list[str] = []
    again.on("request", lambda each: offsets.append(each.headers.get("upload-offset", "")))
    choose(again, photo)
    expect_end(again, "1 photo added.")
    assert [offset for offset in offsets if offset] == [str(32 << 20)]
    choose(again, photo)
    expect_end(again, "1 was already in your library.")


def wait_for_bytes(owner: User, size_bytes: int) -> None:
    """Until the server has that much of the owner's upload."""
    deadline = time.monotonic() + 60
    uploads = Upload.objects.filter(owner=owner)
    while not any(path_of(upload).stat().st_size == size_bytes for upload in uploads.all()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
