"""Correct, retrain, see it learnt: with a real worker, in a real browser."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.test_journey import PATIENCE_MS, sign_up
from tests.stack import Stack, running_stack
from tests.vision.folders import draw

pytestmark = [pytest.mark.e2e, pytest.mark.processes]

TRAINED_MS = 300_000  # it has the lowest priority of all work, and others may be at theirs
WORD = "balloon of mine"
UNSEEN = range(600, 618, 6)  # red circles, as are those of CORRECTED
OTHERS = [number for number in range(1, 25) if number % 6]
CORRECTED = range(0, 72, 6)
RUN = re.compile(r"/admin/teach/trainingrun/\d+/$")


@pytest.fixture
def marea(tmp_path: Path) -> Iterator[Stack]:
    with running_stack(tmp_path / "stack") as stack:
        yield stack


@pytest.fixture
def page(new_context: Callable[..., BrowserContext], marea: Stack) -> Iterator[Page]:
    """A browser that must have nothing to complain of."""
    page = new_context(base_url=marea.base_url).new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    yield page
    assert not complaints


def test_what_is_corrected_is_learned_and_said_of_photos_that_nobody_corrected(
    page: Page, marea: Stack, tmp_path: Path
) -> None:
    sign_up(page)
    bring(marea, tmp_path / "first", [*UNSEEN, *OTHERS])
    bring(marea, tmp_path / "second", CORRECTED)  # the newest, so the first in the library
    correct(page)
    version = train(page)
    marea.manage("models", "activate", version)
    found = photos_with_the_tag(page)
    assert found >= len(CORRECTED) + 2
    page.goto("/search/?q=tag:%22balloon of mine%22")
    expect(page.get_by_role("checkbox")).to_have_count(found)


def bring(marea: Stack, folder: Path, numbers: Iterable[int]) -> None:
    folder.mkdir()
    for number in numbers:
        Image.fromarray(draw(number)).save(folder / f"IMG_{number:04}.png")
    marea.manage("import_photos", str(folder), "--user", "ana")


def correct(page: Page) -> None:
    """Give the word to the photos that came last, at once."""
    page.goto("/processing/")
    ready = page.locator(".processing-counts div", has_text="Ready")
    expect(ready).to_contain_text(str(len(UNSEEN) + len(OTHERS) + len(CORRECTED)))
    page.goto("/")
    for number in range(len(CORRECTED)):
        page.get_by_role("checkbox").nth(number).check()
    page.get_by_role("button", name="Tag", exact=True).click()
    page.locator("#tag-name").fill(WORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(f"{len(CORRECTED)} photos"))).to_be_visible()


def train(page: Page) -> str:
    """Give a reason, press the button, watch the curves; returns the new version's name."""
    page.goto("/admin/teach/trainingrun/train/")
    offer = page.locator(".model-card", has=page.get_by_role("heading", name="Tags"))
    expect(offer).to_contain_text(f"{len(CORRECTED)} tags added on {len(CORRECTED)} photos so far")
    offer.get_by_label("Why now?").fill("Balloons are corrected.")
    offer.get_by_text("Details").click()
    offer.get_by_label("Steps").fill("60")
    offer.get_by_label("Other photos").fill("50")
    offer.get_by_role("button", name="Train").click()
    expect(page).to_have_url(RUN)
    expect(page.get_by_text("Done.")).to_be_visible(timeout=TRAINED_MS)  # it follows by itself
    expect(
        page.get_by_role("img", name=re.compile("^loss over 60 steps: training"))
    ).to_be_visible()
    expect(page.get_by_text("Balloons are corrected.")).to_be_visible()
    return page.locator("#run section strong").nth(1).inner_text()


def photos_with_the_tag(page: Page) -> int:
    """Once the new version is at work: how many photos carry the word."""
    page.goto("/search/?q=tag:%22balloon of mine%22")
    return page.get_by_role("checkbox").count()
