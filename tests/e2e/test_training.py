"""Correct, retrain, see it learnt; train on a ZIP of classes, compare, put to work, roll back: with
real workers, in a real browser."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.test_journey import PASSWORD, PATIENCE_MS, sign_up
from tests.hostile.zip_writer import Entry, a_zip
from tests.patterns import a_pattern
from tests.stack import Stack, running_stack
from tests.vision.folders import draw

pytestmark = [pytest.mark.e2e, pytest.mark.processes]

TRAINED_MS = 300_000  # it has the lowest priority of all work, and others may be at theirs
WORD = "balloon of mine"
UNSEEN = range(600, 618, 6)  # red circles, as are those of CORRECTED
OTHERS = [number for number in range(1, 25) if number % 6]
CORRECTED = range(0, 72, 6)
RUN = re.compile(r"/admin/teach/trainingrun/\d+/$")


@pytest.fixture(scope="module")
def marea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("marea") / "stack") as stack:
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
    enter(page)
    bring(marea, tmp_path / "first", [*UNSEEN, *OTHERS])
    bring(marea, tmp_path / "second", CORRECTED)  # the newest, so the first in the library
    correct(page)
    put_to_work(page, train(page))
    found = photos_with_the_tag(page)
    assert found > len(CORRECTED)
    page.goto("/search/?q=tag:%22balloon of mine%22")
    expect(page.get_by_role("checkbox")).to_have_count(found)


def test_a_zip_of_classes_is_trained_on_compared_put_to_work_and_rolled_back(
    page: Page, marea: Stack, tmp_path: Path
) -> None:
    enter(page)
    before = at_work(page)
    page.goto("/admin/teach/dataset/")
    page.get_by_label("What it is about").first.fill("Our cloth")
    page.get_by_label("A ZIP with a folder for each class").set_input_files(a_zip_file(tmp_path))
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="What was found")).to_be_visible()
    expect(page.get_by_text("32 photos of 2 classes in cloth.zip")).to_be_visible()
    expect(page.get_by_text("<b>dotted", exact=True)).to_be_visible()
    image = page.locator(".problem-classes img").first
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0

    page.get_by_role("button", name="Start").click()
    learned = page.get_by_text("photos that it has not learned from.")
    expect(learned).to_be_visible(timeout=TRAINED_MS)
    bring_photos(marea, tmp_path / "cloth", [a_pattern("dots", seed) for seed in range(70, 76)])
    page.get_by_role("button", name="Compare with the version at work").click()
    expect(page.get_by_role("link", name="See what differs")).to_be_visible(timeout=TRAINED_MS)
    page.get_by_role("link", name="See what differs").click()
    expect(page.get_by_text("Now also: <b>dotted").first).to_be_visible()

    trained = page.locator("#figures-title").inner_text().split()[0]
    put_to_work(page, trained)
    assert photos_with_the_tag(page, "<b>dotted") >= 2
    assert at_work(page) == trained
    page.get_by_role("button", name=f"Roll back to {before}").click()
    expect(page.get_by_text(f"{before} is at work again.")).to_be_visible()
    assert photos_with_the_tag(page, "<b>dotted") == 0


def enter(page: Page) -> None:
    """The first to come makes the library, who comes later signs in."""
    page.goto("/")
    if page.locator("[name=password2]").count():
        sign_up(page)
    else:
        page.fill("[name=username]", "ana")
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("checkbox").first).to_be_visible()


def at_work(page: Page) -> str:
    """The name of the version that serves, by the page Versions."""
    page.goto("/admin/teach/modelversion/")
    return page.get_by_role("heading", name=re.compile(" at work$")).inner_text().split()[0]


def put_to_work(page: Page, version: str) -> None:
    """By its button, and then as a worker does it."""
    page.goto("/admin/teach/modelversion/")
    page.get_by_role("button", name=f"Put {version} to work").click()
    expect(page.get_by_text(f"{version} is at work.")).to_be_visible(timeout=TRAINED_MS)


def a_zip_file(folder: Path) -> Path:
    classes = {"striped": "stripes", "<b>dotted": "dots"}
    entries = [
        Entry(name=f"{label}/{seed}.jpg".encode(), data=a_pattern(kind, seed))
        for label, kind in classes.items()
        for seed in range(16)
    ]
    file = folder / "cloth.zip"
    file.write_bytes(a_zip(entries))
    return file


def bring_photos(marea: Stack, folder: Path, photos: list[bytes]) -> None:
    folder.mkdir()
    for number, content in enumerate(photos):
        (folder / f"CLOTH_{number:04}.jpg").write_bytes(content)
    marea.manage("import_photos", str(folder), "--user", "ana")


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


def photos_with_the_tag(page: Page, tag: str = WORD) -> int:
    """Once the new version is at work: how many photos carry the word."""
    page.goto(f"/search/?{urlencode({'q': f'tag:{chr(34)}{tag}{chr(34)}'})}")
    expect(page.locator("main")).to_be_visible()
    return page.get_by_role("checkbox").count()
