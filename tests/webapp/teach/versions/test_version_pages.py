"""Overview, versions and comparison: staff see them, administrators act, each sees only theirs."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.factories import a_photo, a_sight, a_user, an_administrator, an_embedding
from tests.webapp.clients import browser_of
from vision.sight import Sight as Seen
from vision.versions import shipped_versions
from webapp.accounts.models import User
from webapp.library.models import Photo
from webapp.teach import jobs
from webapp.teach.corrections.saying import add_tag
from webapp.teach.job_models import ModelJob
from webapp.teach.models import ModelVersion
from webapp.teach.switching import activating
from webapp.teach.switching.models import Activation, Verdict
from webapp.teach.switching.readying import store_seen
from webapp.teach.switching.retention import leaving, tidy
from webapp.teach.versions.active import active_version, digest_of, weights_folder
from webapp.teach.versions.folders import models_folder
from workers.tasks import let_go_of_versions

pytestmark = pytest.mark.django_db

VERSIONS = "/admin/teach/modelversion/"
OVERVIEW, COMPARE = f"{VERSIONS}overview/", f"{VERSIONS}compare/"


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, settings: Any) -> None:
    settings.MAREA_DATA = tmp_path
    models_folder().mkdir()


@pytest.fixture
def boss() -> User:
    return an_administrator("boss")


@pytest.fixture
def browser(boss: User) -> Client:
    return browser_of(boss)


@pytest.fixture
def another(boss: User) -> ModelVersion:
    """A version in a folder of its own that has seen a dog where the active one saw a cat."""
    shutil.copytree(weights_folder(active_version()), models_folder() / "another")
    version = ModelVersion.objects.create(name="another", folder="models/another")
    photo = a_photo(boss)
    a_sight(photo, tags=[("cat", 0.9)], caption="a cat")
    store_seen(version, [(photo, Seen(an_embedding(), [("dog", 0.9)], "a dog", 0.9))])
    return version


def verdict_on(version: ModelVersion, outcome: str, *reasons: str) -> Verdict:
    active = active_version()
    return Verdict.objects.create(
        version=version,
        against=active,
        digest=digest_of(version),
        against_digest=digest_of(active),
        outcome=outcome,
        reasons=list(reasons),
    )


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def test_the_overview_says_in_words_what_is_at_work_and_what_nobody_knows(browser: Client) -> None:
    page = text(browser, OVERVIEW)
    assert f"At work: {active_version().name}" in page
    assert "How good its tags are nobody can say yet" in page
    assert "Nobody has corrected anything since the last training." in page


def test_corrections_are_counted_for_all_and_named_only_for_oneself(
    browser: Client, boss: User
) -> None:
    for owner, tag in ((boss, "miso"), (a_user("ana"), "secret")):
        photo = a_photo(owner)
        add_tag(owner, Photo.objects.filter(pk=photo.pk), tag)
    page = text(browser, OVERVIEW)
    assert "2 corrections." in page
    assert "miso (1)" in page
    assert "secret" not in page


def test_the_comparison_shows_only_ones_own_photos(browser: Client, another: ModelVersion) -> None:
    theirs = a_photo(a_user("ana"))
    a_sight(theirs, tags=[("cat", 0.9)], caption="a secret")
    store_seen(another, [(theirs, Seen(an_embedding(), [("boat", 0.9)], "hidden", 0.9))])
    page = text(browser, f"{COMPARE}?version=another")
    assert "Now also: <strong>dog</strong>" in page
    assert "No longer: <s>cat</s>" in page
    assert "a cat → a dog" in page
    assert 'alt="a cat"' in page
    for hidden in ("boat", "a secret", f"/photos/{theirs.pk}/"):
        assert hidden not in page


def test_a_comparison_is_asked_for_by_a_button(browser: Client, another: ModelVersion) -> None:
    browser.post(f"{VERSIONS}ask/compare/another/")
    assert ModelJob.objects.get().kind == "compare"


def test_a_version_that_looked_at_nothing_yet_is_offered_and_asked_for(browser: Client) -> None:
    unseen = next(name for name in shipped_versions() if name != active_version().name)
    assert f"<option>{unseen}</option>" in browser.get(COMPARE).content.decode()
    page = browser.get(COMPARE, {"version": unseen}).content.decode()
    assert "has not looked at any photo here yet" in page
    action = f"{VERSIONS}ask/compare/{unseen}/"
    assert f'action="{action}"' in page
    browser.post(action)
    assert (ModelJob.objects.get().kind, ModelJob.objects.get().name) == ("compare", unseen)
    assert not ModelVersion.objects.filter(name=unseen).exists()  # a page registers nothing


def test_an_unknown_version_is_not_compared(browser: Client) -> None:
    assert browser.get(COMPARE, {"version": "nothing"}).status_code == 404


def test_a_card_is_shown_as_text(browser: Client, another: ModelVersion) -> None:
    (models_folder() / "another" / "card.md").write_text("<script>alert(1)</script>")
    assert "&lt;script&gt;alert(1)" in text(browser, VERSIONS)


def test_a_worse_version_asks_for_a_reason_and_an_unfit_one_has_no_button(
    browser: Client, another: ModelVersion
) -> None:
    worse = verdict_on(another, Verdict.Outcome.WORSE, "Its tags are worse.")
    page = text(browser, VERSIONS)
    assert "Its tags are worse." in page
    assert 'name="reason" required minlength="10"' in page
    worse.outcome = Verdict.Outcome.UNFIT
    worse.save()
    assert 'aria-label="Put another to work"' not in text(browser, VERSIONS)


def test_the_reason_and_who_gave_it_reach_the_job(
    browser: Client, boss: User, another: ModelVersion
) -> None:
    why = "It knows our boat, which counts more."
    browser.post(f"{VERSIONS}ask/activate/another/", {"reason": why})
    job = ModelJob.objects.get()
    assert (job.user, job.reason) == (boss, why)


def put_to_work(version: ModelVersion) -> None:
    def nothing() -> Any:
        raise AssertionError("it has looked at everything")

    activating.activate(version, nothing, tell=lambda *_: None)


def test_one_click_goes_back(browser: Client, boss: User, another: ModelVersion) -> None:
    first = active_version()
    put_to_work(another)
    assert f'aria-label="Roll back to {first.name}"' in text(browser, VERSIONS)
    browser.post(f"{VERSIONS}rollback/")
    assert active_version() == first
    assert Activation.objects.latest("pk").user == boss


def test_a_relook_is_paused_and_goes_on(browser: Client, another: ModelVersion) -> None:
    job = jobs.ask("activate", "another")
    assert 'aria-label="Let another rest"' in text(browser, VERSIONS)
    browser.post(f"{VERSIONS}pause/{job.pk}/")
    job.refresh_from_db()
    assert job.state == ModelJob.State.STOPPED
    assert 'aria-label="Let another go on"' in text(browser, VERSIONS)
    browser.post(f"{VERSIONS}go-on/{job.pk}/")
    job.refresh_from_db()
    assert job.state == ModelJob.State.WAITING


BUTTONS = ["rollback/", "tidy/", "pin/another/", "pause/1/", "go-on/1/"]


@pytest.mark.parametrize("button", BUTTONS)
def test_buttons_are_administrators_only(button: str, another: ModelVersion) -> None:
    assert browser_of(a_user(is_staff=True)).post(VERSIONS + button).status_code == 403
    assert browser_of(a_user()).post(VERSIONS + button).status_code == 302
    assert browser_of(an_administrator()).get(VERSIONS + button).status_code == 405


@pytest.mark.parametrize("page", [OVERVIEW, COMPARE])
def test_pages_are_for_staff_and_keep_to_the_content_policy(
    page: str, browser: Client, another: ModelVersion
) -> None:
    shown = text(browser, page)
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", shown)
    assert browser_of(a_user()).get(page).status_code == 302


# Retention.


def test_old_versions_go_by_the_rule_and_pinned_ones_stay(
    browser: Client, another: ModelVersion, settings: Any
) -> None:
    settings.MAREA_VERSIONS_KEPT = 0
    (going,) = leaving()
    assert (going.version, going.is_whole) == (another, True)
    browser.post(f"{VERSIONS}pin/another/")
    assert leaving() == []
    browser.post(f"{VERSIONS}pin/another/")
    said = browser.post(f"{VERSIONS}tidy/", follow=True).content.decode()
    assert "A worker lets go of another" in said
    assert ModelVersion.objects.filter(name="another").exists()
    let_go_of_versions()
    let_go_of_versions()
    assert not ModelVersion.objects.filter(name="another").exists()
    assert not (models_folder() / "another").exists()


def test_the_active_and_the_previous_version_and_what_ships_stay(
    another: ModelVersion, settings: Any
) -> None:
    settings.MAREA_VERSIONS_KEPT = 0
    first = active_version()
    put_to_work(another)
    assert tidy() == []
    activating.roll_back()
    assert tidy() == []
    assert weights_folder(first).exists()


def test_one_that_waits_for_its_turn_stays(another: ModelVersion, settings: Any) -> None:
    settings.MAREA_VERSIONS_KEPT = 0
    jobs.stop(jobs.ask("activate", "another"))
    assert tidy() == []
