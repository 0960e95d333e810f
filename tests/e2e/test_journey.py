"""The main job, with everything real: sign up, upload, wait a little, find a photo by words."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django import Settings

from tests.factories import PASSWORD
from tests.stack import running_stack
from webapp.library.services import demo

pytestmark = [pytest.mark.e2e, pytest.mark.processes]

PATIENCE_MS = 60_000  # far more than it takes; a busy machine must not fail a test

# Named as a camera names them, so that only what is seen in them can be found.
CAT, MOTORCYCLE = "IMG_0001.png", "IMG_0002.png"
PHOTOS = {
    CAT: "chelsea.png",
    MOTORCYCLE: "motorcycle.png",
    "IMG_0003.png": "coffee.png",
    "IMG_0004.png": "astronaut.png",
    "IMG_0005.jpg": "rocket.jpg",
}
BROKEN = "IMG_0006.jpg"


@pytest.fixture
def photos(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Five whole files and a broken one; the photos of one of the demo's packages."""
    settings.MAREA_DATA = tmp_path
    pinned = demo.REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    one = tmp_path / "requirements.txt"
    one.write_text("\n".join(line for line in pinned if line.startswith("scikit-image==")))
    monkeypatch.setattr(demo, "REQUIREMENTS", one)
    demo.fetch_photos()

    folder = tmp_path / "camera"
    folder.mkdir()
    for name, photo in PHOTOS.items():
        shutil.copyfile(demo.photos_folder() / photo, folder / name)
    whole = (folder / "IMG_0005.jpg").read_bytes()
    (folder / BROKEN).write_bytes(whole[: len(whole) // 2])
    return sorted(folder.iterdir())


@pytest.fixture
def page(new_context: Callable[..., BrowserContext], tmp_path: Path) -> Iterator[Page]:
    """A browser on a Marea that nobody has visited yet; it must have nothing to complain of."""
    with running_stack(tmp_path / "stack") as marea:
        page = new_context(base_url=marea.base_url).new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        yield page
        assert not complaints


def test_from_the_first_visit_to_the_photo_that_was_looked_for(
    page: Page, photos: list[Path]
) -> None:
    sign_up(page)
    upload(page, photos)
    watch_them_become_ready(page)
    assert file_of_first_result(page, "a cat") == CAT
    page.get_by_role("button", name="Why it matched").click()
    expect(page.locator(".heat-map")).to_be_visible(timeout=30_000)
    expect(page.locator("#tags").get_by_role("link", name="cat", exact=True)).to_be_visible()
    assert file_of_first_result(page, "somebody's motorbike") == MOTORCYCLE
    sign_out(page)


def sign_up(page: Page) -> None:
    page.goto("/")
    page.fill("[name=username]", "ana")
    page.fill("[name=password1]", PASSWORD)
    page.fill("[name=password2]", PASSWORD)
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="Your library is empty")).to_be_visible()


def upload(page: Page, photos: list[Path]) -> None:
    page.locator("main").get_by_role("link", name="Upload photos").click()
    page.wait_for_load_state("networkidle")  # its script listens
    page.set_input_files("[data-part=photos]", photos)
    expect(page.locator("[data-part=summary]")).to_contain_text(
        f"{len(PHOTOS)} photos added, 1 could not be added"
    )
    broken = page.locator(".upload-row", has_text=BROKEN)
    expect(broken).to_contain_text(f"{BROKEN} was not added: The file is cut off")


def watch_them_become_ready(page: Page) -> None:
    """The page follows by itself: nothing is clicked or loaded again."""
    page.get_by_role("link", name="Watch them being looked at").click()
    ready = page.locator(".processing-counts div", has_text="Ready")
    expect(ready).to_contain_text(str(len(PHOTOS)))
    page.get_by_role("navigation").get_by_role("link", name="Library").click()
    expect(page.locator(".tile img:visible")).to_have_count(len(PHOTOS))


def file_of_first_result(page: Page, words: str) -> str:
    """Type, look at the results, open the first; returns the name of its file."""
    page.get_by_role("combobox").fill(words)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=words)).to_be_visible()
    page.locator(".tile-link").first.click()
    name = page.locator(".file-name")
    expect(name).to_be_visible()
    return name.inner_text()


def sign_out(page: Page) -> None:
    page.get_by_label("Account and more").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
