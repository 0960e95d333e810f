"""The administrator's journey: compare a version with the one at work, put it to work, go back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from tests.factories import a_photo, a_sight, an_administrator
from tests.webapp.teach.switching.twins import a_twin
from vision.sight import Sight as Seen
from webapp.accounts.models import User
from webapp.find.query.embedding import embed_query
from webapp.library.models import Photo
from webapp.teach.corrections.saying import add_tag, write_caption
from webapp.teach.job_models import ModelJob
from webapp.teach.models import ModelVersion
from webapp.teach.switching.readying import store_seen
from webapp.teach.versions.active import active_version
from webapp.teach.versions.folders import models_folder

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

SignIn = Callable[..., Page]
PHONE = {"width": 390, "height": 844}
WORDS = ("dog", "cat", "boat", "car", "tree")
VERSIONS = "/admin/teach/modelversion/"


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, settings: Any) -> None:
    settings.MAREA_DATA = tmp_path


@pytest.fixture
def boss() -> User:
    """With photos of several things, and words of their own about them."""
    boss = an_administrator("boss")
    for row in range(60):
        word = WORDS[row % len(WORDS)]
        photo = a_photo(boss)
        embedding = embed_query(active_version(), f"a {word}")
        a_sight(photo, embedding=embedding, tags=[(word, 0.9)], caption=f"a {word}")
        add_tag(boss, Photo.objects.filter(pk=photo.pk), word)
        write_caption(boss, photo, f"our {word} number {row}")
    return boss


@pytest.fixture
def better(boss: User) -> ModelVersion:
    """Trained from the one at work; it has looked at every photo, and says one tag more."""
    folder = a_twin(models_folder() / "better", differs_in="tags")
    better = ModelVersion.objects.create(name=folder.name, folder=f"models/{folder.name}")
    looked = []
    for row, photo in enumerate(Photo.objects.order_by("pk")):
        word = WORDS[row % len(WORDS)]
        vector = embed_query(active_version(), f"a {word}")
        more = [("outdoors", 0.8)] if row % 3 else []
        looked.append((photo, Seen(vector, [(word, 0.9), *more], f"a {word}", 0.9)))
    store_seen(better, looked)
    return better


def do_what_was_asked() -> None:
    """What a worker does with the job, in this process: its own could not see this database."""
    job = ModelJob.objects.unfinished().get()
    job.state = ModelJob.State.RUNNING
    job.save()
    call_command("models", job.kind, job.name, job=job.pk)


def test_compare_put_to_work_and_go_back(sign_in: SignIn, boss: User, better: ModelVersion) -> None:
    first = active_version()
    page = sign_in(boss, viewport=PHONE)
    page.goto(f"{VERSIONS}overview/")
    expect(page.get_by_role("heading", name=f"At work: {first.name}")).to_be_visible()

    page.get_by_role("link", name="Compare two").click()
    page.get_by_role("button", name="Compare", exact=True).click()
    do_what_was_asked()
    page.goto(f"{VERSIONS}compare/?version=better")
    expect(page.get_by_text("better may be put to work")).to_be_visible()
    expect(page.get_by_text("Now also: outdoors").first).to_be_visible()

    page.get_by_role("link", name="Versions").click()
    page.get_by_role("button", name="Put better to work").click()
    expect(page.get_by_role("button", name="Let better rest")).to_be_visible()
    do_what_was_asked()
    page.goto(VERSIONS)
    expect(page.get_by_role("heading", name="better at work")).to_be_visible()

    page.get_by_role("button", name=f"Roll back to {first.name}").click()
    expect(page.get_by_role("heading", name=f"{first.name} at work")).to_be_visible()
    assert active_version() == first
