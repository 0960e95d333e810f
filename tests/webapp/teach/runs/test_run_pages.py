"""The pages Train and Runs in Django's admin."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from tests.factories import a_photo, a_sight, a_user, an_administrator
from tests.webapp.clients import browser_of
from tests.webapp.teach.runs.counting import counting
from webapp.errors import Refused
from webapp.library.models import Photo
from webapp.teach.corrections.saying import add_tag, reject_tag, undo
from webapp.teach.datasets.asking import ask_to_train
from webapp.teach.datasets.models import DataSet
from webapp.teach.runs import curves, lifecycle
from webapp.teach.runs.kinds import KINDS
from webapp.teach.runs.models import RunPoint, TrainingRun
from webapp.teach.runs.pages import news_of, words_for
from webapp.teach.runs.telling import Teller
from webapp.teach.versions.folders import models_folder

pytestmark = pytest.mark.django_db

LIST = "/admin/teach/trainingrun/"
TRAIN = f"{LIST}train/"
INLINE = r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)"


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, settings: Any) -> Iterator[None]:
    settings.MAREA_DATA = tmp_path
    models_folder().mkdir()
    with counting():
        yield


@pytest.fixture
def administrator() -> Client:
    return browser_of(an_administrator())


def text_of(client: Client, path: str, **headers: str) -> str:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200
    page: str = answer.content.decode()
    return page


def a_finished_run() -> TrainingRun:
    run = lifecycle.ask("counting", user=None, why="To see.", parameters={})
    lifecycle.take(run)
    call_command("train", run=run.pk)
    return TrainingRun.objects.get(pk=run.pk)


def test_train_offers_what_can_be_trained_in_words(administrator: Client) -> None:
    page = text_of(administrator, TRAIN)
    assert "<h2>Tags</h2>" in page
    assert "<h2>Counting</h2>" in page
    assert "Another problem" not in page  # asked for where its data is
    assert not re.search(INLINE, page)


def test_a_button_and_a_reason_start_a_training(administrator: Client) -> None:
    form = {"kind": "counting", "why": "Ten photos corrected", "steps": "", "seed": ""}
    answer = administrator.post(TRAIN, form)
    run = TrainingRun.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"{LIST}{run.pk}/")
    assert (run.why, run.parameters, run.seed) == ("Ten photos corrected", {"steps": 3}, 0)
    page = text_of(administrator, TRAIN)
    assert f'<a href="{LIST}{run.pk}/">Run {run.pk}</a> waits for a worker.' in page


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"why": " "}, 422, "A training needs a reason"),
        ({"steps": "ten"}, 422, "Steps must be between 1 and 1000"),
        ({"seed": "-1"}, 422, "A seed is between 0 and"),
        ({"kind": "nothing"}, 404, "There is no training nothing"),
    ],
)
def test_what_cannot_be_started_says_why(
    administrator: Client, changed: dict[str, str], status: int, said: str
) -> None:
    answer = administrator.post(TRAIN, {"kind": "counting", "why": "To see."} | changed)
    assert answer.status_code == status
    assert said in answer.content.decode()
    assert not TrainingRun.objects.exists()


def test_a_run_has_its_curves_its_log_and_what_it_was_made_of(administrator: Client) -> None:
    run = a_finished_run()
    page = text_of(administrator, f"{LIST}{run.pk}/")
    assert 'aria-label="loss over 3 steps: training from 1 to 0.333, validation from 2' in page
    assert page.count("<polyline") == 2
    for told in ("To see.", "the command line", run.version_name, "torch", "Begun on"):
        assert told in page
    assert not re.search(INLINE, page)
    assert "hx-get" not in page
    assert f"Run {run.pk}: Counting" in text_of(administrator, LIST)


def test_each_network_that_is_tried_has_a_line_of_its_own(administrator: Client) -> None:
    run = lifecycle.ask("counting", user=None, why="To see.", parameters={})
    tell = Teller(run)
    for fit, losses in {"linear": (3.0, 2.0, 1.5), "deep": (2.0, 1.0)}.items():
        for epoch, loss in enumerate(losses, start=1):
            tell.points(epoch, {"loss": loss, "validation top-1": 1 / loss}, fit=fit)
    loss, top1 = curves.plots_of(run)
    assert [(line.name, line.hue) for line in loss.lines] == [
        ("deep, training", 0),
        ("linear, training", 1),
    ]
    assert [len(line.points.split()) for line in loss.lines] == [2, 3]
    assert (loss.axis, top1.lines[1].name) == ("epoch", "linear, validation")
    assert "linear, validation: 0.667" in text_of(administrator, f"{LIST}{run.pk}/")


def test_a_setting_that_there_is_not_starts_nothing() -> None:
    with pytest.raises(Refused, match="has no setting stepz; there are steps"):
        lifecycle.ask("counting", user=None, why="To see.", parameters={"stepz": 3})


def test_what_a_classifier_is_trained_on_is_named_in_words(administrator: Client) -> None:
    data_set = DataSet.objects.create(title="<Rocks>", source="rocks.zip", state="ready")
    run = ask_to_train(None, data_set, title="Rocks", head="auto", why="To see.", seed=0)
    page = text_of(administrator, f"{LIST}{run.pk}/")
    assert f'<a href="/admin/teach/dataset/{data_set.pk}/">&lt;Rocks&gt;</a>' in page
    assert "<dt>How deep</dt><dd>auto</dd>" in page
    assert "data_set" not in page


def test_while_it_runs_the_page_asks_for_the_rest(administrator: Client) -> None:
    run = lifecycle.ask("counting", user=None, why="To see.", parameters={})
    lifecycle.take(run)
    part = text_of(administrator, f"{LIST}{run.pk}/", **{"HX-Request": "true"})
    assert part.startswith('<div id="run" hx-get')
    assert 'hx-trigger="every 2s"' in part
    call_command("train", run=run.pk)
    answer = administrator.get(f"{LIST}{run.pk}/", headers={"HX-Request": "true"})
    assert answer["HX-Refresh"] == "true"


def test_cancel_resume_and_try_again_are_buttons(administrator: Client) -> None:
    run = lifecycle.ask("counting", user=None, why="To see.", parameters={})
    administrator.post(f"{LIST}{run.pk}/cancel/")
    run.job.refresh_from_db()
    assert run.job.state == "stopped"
    assert "Resume" in text_of(administrator, f"{LIST}{run.pk}/")
    administrator.post(f"{LIST}{run.pk}/resume/")
    run.job.refresh_from_db()
    assert run.job.state == "waiting"
    administrator.post(f"{LIST}{run.pk}/cancel/")
    answer = administrator.post(f"{LIST}{run.pk}/again/")
    second = TrainingRun.objects.order_by("pk").last()
    assert second
    assert answer["Location"] == f"{LIST}{second.pk}/"
    assert second.why == f"Run {run.pk} again: To see."
    assert administrator.post(f"{LIST}{run.pk}/delete-everything/").status_code == 404


def test_staff_see_and_superusers_act() -> None:
    run = a_finished_run()
    paths = (LIST, TRAIN, f"{LIST}{run.pk}/")
    staff, guest = browser_of(a_user(is_staff=True)), browser_of(a_user())
    for path in paths:
        assert guest.get(path).status_code == 302
        assert staff.get(path).status_code == 403
        assert Client().get(path).status_code == 302
    for path in (TRAIN, f"{LIST}{run.pk}/again/"):
        assert staff.post(path, {"kind": "counting", "why": "x"}).status_code == 403
        assert guest.post(path, {"kind": "counting", "why": "x"}).status_code == 302
    assert TrainingRun.objects.count() == 1
    assert browser_of(an_administrator(), enforce_csrf_checks=True).post(TRAIN).status_code == 403


def test_an_unknown_run_is_not_found(administrator: Client) -> None:
    assert administrator.get(f"{LIST}999/").status_code == 404
    assert administrator.post(f"{LIST}999/cancel/").status_code == 404


def test_train_counts_what_was_said_since_and_names_nobodys_words() -> None:
    owner = a_user()
    photo = a_photo(owner)
    a_sight(photo, tags=[("cat", 0.9)])
    photos = Photo.objects.filter(pk=photo.pk)
    assert "No corrections so far" in news_of(KINDS["tags"], None)
    add_tag(owner, photos, "miso")
    said = reject_tag(owner, photos, "cat")
    news = news_of(KINDS["tags"], None)
    assert news.startswith("1 tag added and 1 tag rejected on 1 photo so far. Likely to change:")
    assert "miso" not in news
    undo(owner, said.act)
    assert news_of(KINDS["tags"], None).startswith("1 tag added on 1 photo")


def test_a_list_of_runs_costs_as_many_queries_for_many_as_for_few(
    administrator: Client, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    a_finished_run()
    text_of(administrator, LIST)
    with CaptureQueriesContext(connection) as few:
        text_of(administrator, LIST)
    for steps in range(5, 15):
        lifecycle.ask("counting", user=None, why="To see.", parameters={"steps": steps})
    with django_assert_num_queries(len(few)):
        text_of(administrator, LIST)


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([0, 10], [0, 2.5, 5, 7.5, 10]),
        ([0.31, 1.02], [0.2, 0.4, 0.6, 0.8, 1.0, 1.2]),
        ([5, 5], [4.5, 4.75, 5.0, 5.25, 5.5]),
        ([-3, 4], [-4, -2, 0, 2, 4]),
    ],
)
def test_ticks_are_round_numbers_around_the_values(values: list[float], ticks: list[float]) -> None:
    assert curves.nice_ticks(values) == ticks


def test_a_single_point_is_drawn_too() -> None:
    plot = curves.draw("loss", [RunPoint(measure="loss", series="training", step=0, value=1.0)])
    assert len(plot.lines) == 1
    assert all(curves.TOP <= tick.at <= curves.HEIGHT for tick in plot.up)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (20, "less than a minute"), (61, "about 1 minute"), (7300, "about 2 hours")],
)
def test_time_left_promises_no_more_than_is_known(seconds: float | None, words: str) -> None:
    assert words_for(seconds) == words
