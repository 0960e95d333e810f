"""Long work on models: asked for once, done by one worker, given up when it kills its process."""

import sys
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.factories import an_administrator
from webapp.errors import Conflict
from webapp.teach import jobs
from webapp.teach.job_models import ModelJob
from workers import modelling

pytestmark = pytest.mark.django_db


def never() -> bool:
    return False


def test_who_asks_twice_gets_the_same_job() -> None:
    assert jobs.ask("pull", "clip-vit-b-32") == jobs.ask("pull", "clip-vit-b-32")
    assert jobs.ask("adopt", "clip-vit-b-32") != jobs.ask("pull", "clip-vit-b-32")


def test_a_reason_that_comes_later_counts_while_the_job_waits() -> None:
    jobs.ask("activate", "another")
    ada = an_administrator("ada")
    jobs.ask("activate", "another", user=ada, reason="The lab wants it.")
    job = ModelJob.objects.get()
    assert (job.user, job.reason) == (ada, "The lab wants it.")
    jobs.ask("activate", "another")  # a second press of the button takes no reason away
    assert jobs.claim() == job
    assert jobs.ask("activate", "another", reason="The lab wants it.") == job
    with pytest.raises(Conflict, match="The reason was not kept"):
        jobs.ask("activate", "another", reason="Another one.")
    assert ModelJob.objects.get().reason == "The lab wants it."


def test_one_job_is_in_hand_at_a_time_oldest_first() -> None:
    first, second = jobs.ask("pull", "a"), jobs.ask("pull", "b")
    assert jobs.claim() == first
    assert jobs.claim() is None
    jobs.finish(first, said="Done.")
    assert jobs.claim() == second


def test_a_job_whose_worker_died_is_taken_over() -> None:
    job = jobs.ask("pull", "a")
    jobs.claim()
    ModelJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert jobs.claim() == job
    assert ModelJob.objects.get().attempts == 2


def test_a_job_that_ends_its_worker_each_time_is_given_up() -> None:
    jobs.ask("pull", "a")
    ModelJob.objects.update(state="running", lease_until=None, attempts=jobs.MAX_ATTEMPTS)
    assert jobs.claim() is None
    assert ModelJob.objects.get().state == ModelJob.State.FAILED


def test_how_far_it_is_stands_in_the_row() -> None:
    jobs.ask("pull", "a")
    job = jobs.claim()
    assert job
    tell = jobs.Teller(job)
    tell("Fetching", 0, 605_000_000)
    tell("Fetching", 5, 605_000_000)  # too soon to be worth a write
    assert ModelJob.objects.get().done == 0
    tell("Fetching", 605_000_000, 605_000_000)
    job.refresh_from_db()
    assert (job.step, job.amount) == ("Fetching", "605 of 605 MB")


def test_what_ended_is_not_told_about_any_more() -> None:
    jobs.ask("pull", "a")
    job = jobs.claim()
    assert job
    jobs.finish(job, failed="It is not there.")
    jobs.Teller(job)("Fetching", 1, 2)
    jobs.finish(job, said="Fine.")
    job.refresh_from_db()
    assert (job.state, job.message, job.step) == ("failed", "It is not there.", "")


def test_the_command_writes_why_it_failed_into_its_job() -> None:
    jobs.ask("pull", "resnet")
    job = jobs.claim()
    assert job
    with pytest.raises(CommandError):
        call_command("models", "pull", "resnet", job=job.pk)
    job.refresh_from_db()
    assert job.state == "failed"
    assert job.message.startswith("resnet cannot be pulled. There are: blip-base")


def _runs(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """What stands in for the job's command, in a real process."""
    monkeypatch.setattr(modelling, "command", lambda job: [sys.executable, "-c", code])


@pytest.mark.parametrize(
    ("code", "state", "message"),
    [
        ("pass", "done", ""),
        ("raise SystemExit(1)", "failed", "the worker's log says why"),
        ("import os; os.kill(os.getpid(), 9)", "failed", "want of memory"),
    ],
)
def test_a_job_ends_as_its_process_does(
    monkeypatch: pytest.MonkeyPatch, code: str, state: str, message: str
) -> None:
    _runs(monkeypatch, code)
    jobs.ask("adopt", "a")
    modelling.work(stopping=never)
    job = ModelJob.objects.get()
    assert job.state == state
    assert message in job.message


def test_a_worker_that_stops_gives_its_job_back(monkeypatch: pytest.MonkeyPatch) -> None:
    _runs(monkeypatch, "import time; time.sleep(600)")
    jobs.ask("adopt", "a")
    asked = iter([False, False, True, True])
    modelling.work(stopping=lambda: next(asked))
    job = ModelJob.objects.get()
    assert (job.state, job.attempts, job.lease_until) == ("waiting", 0, None)
    assert jobs.claim() == job


def test_the_command_of_a_job_is_one_of_ours() -> None:
    job = ModelJob(pk=7, kind="pull", name="clip-vit-b-32")
    assert modelling.command(job)[-5:] == ["models", "pull", "clip-vit-b-32", "--job", "7"]
