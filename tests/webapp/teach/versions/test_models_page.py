"""The page of models in Django's admin, and its buttons."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.factories import a_user, an_administrator
from tests.vision.folders import write_version
from tests.webapp.clients import browser_of
from vision.versions import DEFAULT_VERSION
from webapp.teach import jobs
from webapp.teach.job_models import ModelJob
from webapp.teach.versions.folders import models_folder

pytestmark = pytest.mark.django_db

PAGE = "/admin/teach/modelversion/"
PULL = f"{PAGE}ask/pull/clip-vit-b-32/"


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, settings: Any) -> None:
    settings.MAREA_DATA = tmp_path
    models_folder().mkdir()


@pytest.fixture
def administrator() -> Client:
    return browser_of(an_administrator())


def test_the_page_shows_what_is_here_and_what_can_be_pulled(administrator: Client) -> None:
    page = administrator.get(PAGE).content.decode()
    assert f"{DEFAULT_VERSION} <span" in page
    for title in ("Inception-v3", "CLIP ViT-B/32", "SigLIP 2 (base)", "BLIP (base)"):
        assert f"<h3>{title}</h3>" in page
    assert "hx-get" not in page  # nothing moves, nothing is asked for


def test_the_page_keeps_to_the_content_policy(administrator: Client) -> None:
    jobs.ask("pull", "blip-base")
    page = administrator.get(PAGE).content.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)


def test_a_button_asks_for_the_work_once(administrator: Client) -> None:
    for _ in range(2):
        answer = administrator.post(PULL)
        assert (answer.status_code, answer["Location"]) == (302, PAGE)
    job = ModelJob.objects.get()
    assert (job.kind, job.name, job.state) == ("pull", "clip-vit-b-32", "waiting")
    page = administrator.get(PAGE).content.decode()
    assert "is being fetched as soon as a worker is free" in page


def test_while_something_is_at_work_the_part_with_its_progress_is_asked_for_again(
    administrator: Client,
) -> None:
    jobs.ask("pull", "clip-vit-b-32")
    job = jobs.claim()
    assert job
    jobs.Teller(job)("Fetching CLIP", 302_000_000, 605_000_000)
    part = administrator.get(PAGE, headers={"HX-Request": "true"}).content.decode()
    assert part.startswith('<div id="jobs"')
    assert 'hx-trigger="every 2s"' in part
    assert '<progress max="605000000" value="302000000"' in part
    assert "Fetching CLIP (302 of 605 MB)" in part
    jobs.finish(job, said="It is here.")
    answer = administrator.get(PAGE, headers={"HX-Request": "true"})
    assert answer["HX-Refresh"] == "true"
    assert "It is here." in answer.content.decode()


def test_why_something_failed_stands_on_the_page(administrator: Client) -> None:
    jobs.finish(jobs.ask("pull", "blip-base"), failed="huggingface.co cannot be reached.")
    page = administrator.get(PAGE).content.decode()
    assert "huggingface.co cannot be reached." in page
    assert "hx-trigger" not in page


@pytest.mark.parametrize(
    "path", ["ask/pull/resnet/", "ask/activate/nothing/", "ask/delete/blip-base/"]
)
def test_what_is_not_offered_is_not_done(administrator: Client, path: str) -> None:
    assert administrator.post(f"{PAGE}{path}").status_code == 302
    assert not ModelJob.objects.exists()
    assert "Nothing was changed." in administrator.get(PAGE).content.decode()


def test_a_version_without_heads_can_be_adopted_but_not_put_to_work(administrator: Client) -> None:
    write_version(models_folder() / "headless", {}, {"backbone": {"name": "inception-v3"}})
    page = administrator.get(PAGE).content.decode()
    assert "ask/adopt/headless/" in page
    assert "ask/activate/headless/" not in page
    administrator.post(f"{PAGE}ask/activate/headless/")
    assert not ModelJob.objects.exists()
    administrator.post(f"{PAGE}ask/adopt/headless/")
    assert ModelJob.objects.get().kind == "adopt"


def test_buttons_answer_to_posts_of_administrators_only(administrator: Client) -> None:
    assert administrator.get(PULL).status_code == 405
    for staff, status in ((False, 302), (True, 403)):
        client = browser_of(a_user(is_staff=staff))
        assert client.post(PULL).status_code == status
        assert client.get(PAGE).status_code == status
    assert Client().post(PULL).status_code == 302
    assert not ModelJob.objects.exists()


def test_no_other_site_presses_a_button() -> None:
    browser = browser_of(an_administrator(), enforce_csrf_checks=True)
    assert browser.post(PULL).status_code == 403
    assert not ModelJob.objects.exists()
