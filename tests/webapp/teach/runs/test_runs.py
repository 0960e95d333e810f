"""Trainings as rows: asked for with a reason, done once, stopped, gone on with, given up."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from tests.factories import a_photo, a_user, an_administrator
from tests.webapp.teach.runs.counting import counting
from webapp.errors import Conflict, NotFound, Refused
from webapp.library.models import Photo
from webapp.teach import jobs
from webapp.teach.job_models import ModelJob
from webapp.teach.runs import lifecycle
from webapp.teach.runs.models import RunPoint, TrainingRun
from webapp.teach.versions.active import active_version
from webapp.teach.versions.folders import models_folder
from workers import modelling

pytestmark = pytest.mark.django_db

AT_ONCE = 4


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, settings: Any) -> Iterator[None]:
    settings.MAREA_DATA = tmp_path
    models_folder().mkdir()
    with counting():
        yield


def a_run(**parameters: Any) -> TrainingRun:
    return lifecycle.ask("counting", user=an_administrator(), why="To see.", parameters=parameters)


def in_hand(run: TrainingRun) -> TrainingRun:
    lifecycle.take(run)
    return TrainingRun.objects.get(pk=run.pk)


def test_a_run_says_who_asked_why_and_with_which_settings() -> None:
    user = an_administrator("ada")
    run = lifecycle.ask(
        "counting", user=user, why=" New\ntags. ", parameters={"steps": "7"}, seed=3
    )
    run.refresh_from_db()
    assert (run.who, run.why, run.parameters, run.seed) == ("ada", "New tags.", {"steps": 7}, 3)
    assert (run.job.kind, run.job.name, run.job.state) == ("train", str(run.pk), "waiting")


@pytest.mark.parametrize("steps", [0, 1001, "many", "nan", None])
def test_settings_out_of_bounds_start_nothing(steps: object) -> None:
    with pytest.raises(Refused, match="Steps must be between 1 and 1000"):
        a_run(steps=steps)
    assert not ModelJob.objects.exists()


def test_a_reason_is_needed() -> None:
    with pytest.raises(Refused, match="needs a reason"):
        lifecycle.ask("counting", user=None, why=" ", parameters={})


def test_what_cannot_be_trained_is_named() -> None:
    with pytest.raises(NotFound, match="There is no training nothing"):
        lifecycle.ask("nothing", user=None, why="To see.", parameters={})


def test_who_asks_twice_is_told_so() -> None:
    a_run()
    with pytest.raises(Conflict, match="asked for already"):
        a_run()
    a_run(steps=4)
    assert TrainingRun.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_who_asks_at_the_same_moment_is_told_so_as_well() -> None:
    active_version()
    barrier = Barrier(AT_ONCE)

    def asks(_: int) -> bool:
        barrier.wait()
        try:
            lifecycle.ask("counting", user=None, why="To see.", parameters={})
        except Conflict:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(AT_ONCE) as threads:
        assert sum(threads.map(asks, range(AT_ONCE))) == 1
    assert TrainingRun.objects.count() == ModelJob.objects.count() == 1


def test_a_training_leaves_curves_machine_code_and_a_version() -> None:
    run = in_hand(a_run())
    call_command("train", run=run.pk)
    run = TrainingRun.objects.get(pk=run.pk)
    assert run.job.state == "done"
    assert run.version
    assert run.version.name == run.version_name
    assert run.machine["cores"] >= 1
    assert run.code
    points = RunPoint.objects.filter(run=run, measure="loss").values_list("series", "step", "value")
    assert sorted(points)[0] == ("training", 1, 1.0)
    assert sorted(points)[-1] == ("validation", 3, pytest.approx(2 / 3))
    assert [line.text for line in run.lines.order_by("pk")][1] == "Counting"


def test_the_command_line_makes_a_row_as_well() -> None:
    call_command("train", "counting", why="Curious.", chosen=["steps=2"])
    run = TrainingRun.objects.get()
    assert (run.who, run.why, run.job.state) == ("the command line", "Curious.", "done")


def test_the_command_line_waits_for_nobody() -> None:
    in_hand(a_run())
    with pytest.raises(CommandError, match="Other work on models is in hand"):
        call_command("train", "counting", chosen=["steps=2"])
    assert TrainingRun.objects.count() == 1


def test_a_run_that_is_not_in_hand_is_not_done() -> None:
    with pytest.raises(CommandError, match="no training"):
        call_command("train", run=a_run().pk)


def test_a_cancelled_training_ends_at_its_next_step_and_can_go_on() -> None:
    run = in_hand(a_run(steps=50))
    seen: list[int] = []

    def between(step: int) -> None:
        seen.append(step)
        if step == 2:
            lifecycle.cancel(run)
            jobs_told.append(ModelJob.objects.get(pk=run.job_id).state)

    jobs_told: list[str] = []
    with counting(between), pytest.raises(CommandError, match="was stopped"):
        tell_always(run)
    assert jobs_told == ["stopped"]
    assert seen == [0, 1, 2]
    run.job.refresh_from_db()
    assert run.job.state == "stopped"
    lifecycle.resume(run)
    with counting():
        call_command("train", run=in_hand(run).pk)
    assert TrainingRun.objects.get().version


def tell_always(run: TrainingRun) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("webapp.teach.runs.telling.TOLD_EVERY_S", 0)
        call_command("train", run=run.pk)


def test_what_ended_cannot_be_cancelled_and_what_runs_cannot_go_on() -> None:
    run = in_hand(a_run())
    with pytest.raises(Conflict):
        lifecycle.resume(run)
    call_command("train", run=run.pk)
    with pytest.raises(Conflict):
        lifecycle.cancel(run)


def test_other_work_comes_before_a_training_that_is_in_hand() -> None:
    first, second = a_run(), a_run(steps=4)
    job = jobs.claim()
    assert job == first.job
    assert job
    assert jobs.is_wanted(job)
    pull = jobs.ask("pull", "clip-vit-b-32")
    assert not jobs.is_wanted(job)
    jobs.give_back(job)
    assert jobs.claim() == pull
    jobs.finish(pull, said="Done.")
    assert jobs.claim() == first.job
    assert second.job.state == "waiting"


def test_a_training_whose_process_is_killed_goes_on_a_few_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = a_run()
    kill = ["python", "-c", "import os; os.kill(os.getpid(), 9)"]
    monkeypatch.setattr(modelling, "command", lambda job: kill)
    modelling.work(stopping=lambda: False)
    run.job.refresh_from_db()
    assert (run.job.state, run.job.attempts) == ("failed", jobs.MAX_ATTEMPTS)


def test_a_training_that_gets_farther_each_time_is_not_given_up() -> None:
    run = in_hand(a_run(steps=5))
    ModelJob.objects.filter(pk=run.job_id).update(attempts=jobs.MAX_ATTEMPTS)
    call_command("train", run=run.pk)
    run.job.refresh_from_db()
    assert run.job.attempts == 1


def test_a_training_stands_back_while_photos_wait() -> None:
    run = in_hand(a_run())
    a_photo(a_user(), state=Photo.State.WAITING)
    told: list[bool] = []

    def look(_: float) -> None:
        told.append(TrainingRun.objects.get().stands_back)
        Photo.objects.update(state=Photo.State.READY)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("webapp.teach.runs.telling.sleep", look)
        call_command("train", run=run.pk)
    assert told == [True]
    run.refresh_from_db()
    assert not run.stands_back
    assert "photos wait for their first look" in " ".join(run.lines.values_list("text", flat=True))


def test_time_left_follows_the_speed_of_the_present_step() -> None:
    run = in_hand(a_run())
    assert run.seconds_left is None
    run.step_began_at, run.step_began_with = timezone.now() - timedelta(seconds=10), 100
    run.job.done, run.job.total = 200, 400
    assert run.seconds_left == pytest.approx(20, abs=1)


def test_the_worker_does_runs_by_number() -> None:
    run = a_run()
    assert modelling.command(run.job)[-3:] == ["train", "--run", str(run.pk)]


def test_what_went_on_from_a_version_that_is_gone_goes_on_from_no_other() -> None:
    run = lifecycle.ask("counting", user=None, why="To see.", parameters={})
    run.started_at, run.base = timezone.now(), None  # begun, and its base was let go since
    run.save()
    lifecycle.take(run)
    with pytest.raises(CommandError, match="is gone"):
        call_command("train", run=run.pk)
    run.job.refresh_from_db()
    assert run.job.state == "failed"
    assert "is gone" in run.job.message
