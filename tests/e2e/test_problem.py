"""Another problem, in a browser: a ZIP of classes goes in, a version comes out, is compared, put to
work and rolled back. What a worker does in between is done here."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from tests.e2e.conftest import SignIn
from tests.e2e.test_uploading import HANGING, wait_for_bytes
from tests.factories import a_photo, an_administrator
from tests.hostile.zip_writer import Entry, a_zip
from tests.patterns import a_pattern
from webapp.library.models import Photo
from webapp.teach import jobs
from webapp.teach.datasets.models import DataSet
from webapp.teach.job_models import ModelJob
from webapp.teach.models import PhotoTag
from webapp.teach.runs.models import TrainingRun
from webapp.teach.services import active_version
from webapp.teach.versions.folders import models_folder

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

PAGE = "/admin/teach/dataset/"
VERSIONS = "/admin/teach/modelversion/"


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, settings: Any) -> None:
    settings.MAREA_DATA = tmp_path / "data"
    models_folder().mkdir(parents=True)


def test_a_zip_of_classes_is_trained_on_compared_put_to_work_and_rolled_back(
    sign_in: SignIn, tmp_path: Path
) -> None:
    owner = an_administrator()
    page = sign_in(owner)
    upload(page, a_zip_file(tmp_path))

    expect(page.get_by_role("heading", name="The photos are being read")).to_be_visible()
    work()
    expect(page.get_by_role("heading", name="What was found")).to_be_visible(timeout=15_000)
    expect(page.get_by_text("32 photos of 2 classes in cloth.zip")).to_be_visible()
    expect(page.get_by_text("<b>dotted", exact=True)).to_be_visible()
    image = page.locator(".problem-classes img").first
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0

    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("It is trained as soon as a worker is free.")).to_be_visible()
    work()
    expect(page.get_by_text("photos that it has not learned from.")).to_be_visible(timeout=15_000)
    photos = [a_photo(owner, data=a_pattern("dots", seed)) for seed in range(70, 76)]
    before, trained = active_version().name, newest_version()

    page.get_by_role("button", name="Compare with the version at work").click()
    work()
    page.goto(VERSIONS)
    page.get_by_role("button", name=f"Put {trained} to work").click()
    work()
    assert active_version().name == trained
    assert tagged(photos) >= 2

    page.goto(VERSIONS)
    page.get_by_role("button", name=f"Roll back to {before}").click()
    page.wait_for_load_state()
    assert active_version().name == before
    assert tagged(photos) == 0
    page.goto("about:blank")  # asks for no more thumbnails once the data folder is another one


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


def work() -> None:
    """What a worker does with the job that waits, in this process."""
    job = jobs.claim()
    assert job
    if job.kind == ModelJob.Kind.TRAIN:
        call_command("train", run=int(job.name))
    else:
        call_command("models", job.kind, job.name, job=job.pk)
    job.refresh_from_db()
    assert job.state == ModelJob.State.DONE, job.message


def newest_version() -> str:
    run = TrainingRun.objects.latest("pk")
    assert run.version
    return run.version.name


def tagged(photos: list[Photo]) -> int:
    """On how many of them people see the tag."""
    shown = PhotoTag.objects.shown().filter(photo__in=photos, tag__name="<b>dotted")
    return shown.count()


def test_a_large_zip_goes_on_where_it_was_when_the_page_was_closed(
    sign_in: SignIn, tmp_path: Path
) -> None:
    owner, file = an_administrator(), tmp_path / "large.zip"
    file.write_bytes(bytes((32 << 20) + 1000))
    page = sign_in(owner)
    page.add_init_script(HANGING)
    upload(page, file)
    wait_for_bytes(owner, 32 << 20)
    page.close()

    again = page.context.new_page()
    offsets: list[str] = []
    again.on("request", lambda each: offsets.append(each.headers.get("upload-offset", "")))
    upload(again, file)
    expect(again.get_by_role("heading", name="The photos are being read")).to_be_visible()
    assert [offset for offset in offsets if offset] == [str(32 << 20)]
    assert DataSet.objects.get().incoming.stat().st_size == file.stat().st_size


def upload(page: Page, file: Path) -> None:
    page.goto(PAGE)
    page.get_by_label("What it is about").first.fill("Our cloth")
    page.get_by_label("A ZIP with a folder for each class").set_input_files(file)
    page.get_by_role("button", name="Upload").click()


def test_why_nothing_was_uploaded_is_told_beside_the_button(
    sign_in: SignIn, tmp_path: Path
) -> None:
    page = sign_in(an_administrator(), expected="status of 4")
    page.goto(PAGE)
    page.get_by_label("What it is about").first.fill("\u200b")
    file = tmp_path / "x.zip"
    file.write_bytes(b"PK")
    page.get_by_label("A ZIP with a folder for each class").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("Give it a name, such as Roof tiles.")).to_be_visible()
    expect(page.get_by_role("button", name="Upload")).to_be_enabled()
