"""Asking for long work on models, doing it once, and saying how far it is."""

import time
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from webapp.teach.job_models import ModelJob, ModelJobQuerySet
from workers import queue

LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 3  # at work that ended its process, or whose worker died
TOLD_EVERY_S = 0.5


def ask(kind: str, name: str) -> ModelJob:
    """Ask for work; who asks twice gets the same job."""
    job, _ = ModelJob.objects.unfinished().get_or_create(kind=kind, name=name)
    transaction.on_commit(queue.models_wait)
    return job


def claim() -> ModelJob | None:
    """The next job, in hand from now on; None while another is, as they are all large."""
    with transaction.atomic():
        jobs = list(ModelJob.objects.unfinished().select_for_update().order_by("pk"))
        now = timezone.now()
        if any(_held(job, now) for job in jobs):
            return None
        for job in jobs:
            if job.attempts >= MAX_ATTEMPTS:
                finish(job, failed="It ended its process each time; the worker's log says more.")
                continue
            job.state, job.lease_until = ModelJob.State.RUNNING, now + LEASE
            job.attempts += 1
            job.save(update_fields=["state", "lease_until", "attempts"])
            return job
    return None


def _held(job: ModelJob, now: datetime) -> bool:
    return job.state == ModelJob.State.RUNNING and bool(job.lease_until and job.lease_until > now)


def renew(job: ModelJob) -> None:
    """The worker lives."""
    _row(job).update(lease_until=timezone.now() + LEASE)


def give_back(job: ModelJob) -> None:
    """Not finished for now, and no fault of the job's."""
    _row(job).update(
        state=ModelJob.State.WAITING, lease_until=None, attempts=max(0, job.attempts - 1)
    )


def finish(job: ModelJob, *, said: str = "", failed: str = "") -> None:
    """How it ended, once; whoever comes later with less to say changes nothing."""
    state = ModelJob.State.FAILED if failed else ModelJob.State.DONE
    message = (failed or said)[:1000]
    ModelJob.objects.unfinished().filter(pk=job.pk).update(
        state=state, message=message, step="", lease_until=None
    )


def latest(count: int = 5) -> list[ModelJob]:
    """What is asked for and what was, newest first."""
    return list(ModelJob.objects.order_by("-pk")[:count])


class Teller:
    """Writes how far a job is into its row, a few times a second at most."""

    def __init__(self, job: ModelJob) -> None:
        self.job = job
        self._step = ""
        self._told_at = 0.0

    def __call__(self, step: str, done: int, total: int) -> None:
        now = time.monotonic()
        if step == self._step and done < total and now - self._told_at < TOLD_EVERY_S:
            return
        self._step, self._told_at = step, now
        _row(self.job).update(
            step=step[:200], done=done, total=total, lease_until=timezone.now() + LEASE
        )


def _row(job: ModelJob) -> ModelJobQuerySet:
    return ModelJob.objects.filter(pk=job.pk, state=ModelJob.State.RUNNING)
