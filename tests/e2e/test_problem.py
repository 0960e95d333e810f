"""Another problem, in a browser: a ZIP of classes goes in, what was found stands there, a training
is asked for. What a worker does in between is done here."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from tests.e2e.conftest import SignIn
from tests.factories import an_administrator
from tests.hostile.zip_writer import a_zip
from tests.hostile.zips import honest
from webapp.teach.data_models import DataSet
from webapp.teach.run_models import TrainingRun
from webapp.teach.versions import models_folder

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

PAGE = "/admin/teach/dataset/"


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, settings: Any) -> None:
    settings.MAREA_DATA = tmp_path / "data"
    models_folder().mkdir(parents=True)


def test_a_zip_of_classes_becomes_a_training(sign_in: SignIn, tmp_path: Path) -> None:
    file = tmp_path / "pets.zip"
    file.write_bytes(a_zip(honest([b"cat", b"<b>dog"], photos=6)))
    page = sign_in(an_administrator())
    page.goto(PAGE)
    page.get_by_label("What it is about").first.fill("Our pets")
    page.get_by_label("A ZIP with a folder for each class").set_input_files(file)
    page.get_by_role("button", name="Upload").click()

    expect(page.get_by_role("heading", name="The photos are being read")).to_be_visible()
    call_command("models", "read", str(DataSet.objects.get().pk))
    expect(page.get_by_role("heading", name="What was found")).to_be_visible(timeout=15_000)
    expect(page.get_by_text("12 photos of 2 classes in pets.zip")).to_be_visible()
    expect(page.get_by_text("<b>dog", exact=True)).to_be_visible()
    image = page.locator(".problem-classes img").first
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0

    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("It is trained as soon as a worker is free.")).to_be_visible()
    assert TrainingRun.objects.get().parameters["title"] == "Our pets"
    page.goto("about:blank")  # asks for no more thumbnails once the data folder is another one


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
