"""A ZIP for another problem, in a browser: it comes in pieces, or why not is told. What comes of it
is in `test_training`."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import SignIn
from tests.e2e.test_uploading import HANGING, wait_for_bytes
from tests.factories import an_administrator
from webapp.teach.datasets.models import DataSet
from webapp.teach.versions.folders import models_folder

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

PAGE = "/admin/teach/dataset/"


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, settings: Any) -> None:
    settings.MAREA_DATA = tmp_path / "data"
    models_folder().mkdir(parents=True)


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
