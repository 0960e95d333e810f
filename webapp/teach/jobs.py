"""Asking for long work on models, doing it once, and saying how far it is."""

import time
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from webapp.accounts.models import User
from webapp.errors import Conflict
from webapp.teach.job_models import ModelJob, ModelJobQuerySet
from workers import queue

LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 3  # at work that ended its process, or whose worker died
TOLD_EVERY_S = 0.5


def ask(kind: str, name: str, *, user: User | None = None, reason: str = "") -> ModelJob:
    """Ask for work; who asks twice gets the same job. `reason` is why in spite of the gate; the
    last one counts. Raises `Conflict` for one that comes once the work is in hand."""
    word = {"user": user, "reason": reason[:500]}
    job, is_new = ModelJob.objects.unfinished().get_or_create(kind=kind, name=name, defaults=word)
    if reason and not is_new:
        _give_reason(job, word)
    announce()
    return job


def _give_reason(job: ModelJob, word: dict[str, Any]) -> None:
    waiting = ModelJob.objects.filter(pk=job.pk, state=ModelJob.State.WAITING)
    if not waiting.update(**word) and word["reason"] != job.reason:
        raise Conflict(
            f"{job.name} is in hand already, without this reason. Pause it and ask again, or wait "
            "for how it ends. The reason was not kept."
        )
    job.refresh_from_db()


def announce() -> None:
    """Tell the workers once what waits is in the database."""
    transaction.on_commit(queue.models_wait)


def claim(only: ModelJob | None = None) -> ModelJob | None:
    """The next job, or `only` that one, in hand from now on; None while another is, as they are
    all large. Trainings come last."""
    with transaction.atomic():
        jobs = list(ModelJob.objects.unfinished().select_for_update().order_by("pk"))
        now = timezone.now()
        if any(_held(job, now) for job in jobs):
            return None
        for job in sorted(jobs, key=_comes_last) if only is None else [only]:
            if job.attempts >= MAX_ATTEMPTS:
                finish(job, failed="It ended its process each time; the worker's log says more.")
                continue
            job.state, job.lease_until = ModelJob.State.RUNNING, now + LEASE
            job.attempts += 1
            job.save(update_fields=["state", "lease_until", "attempts"])
            return job
    return None


def _comes_last(job: ModelJob) -> bool:
    return job.kind == ModelJob.Kind.TRAIN


def _held(job: ModelJob, now: datetime) -> bool:
    return job.state == ModelJob.State.RUNNING and bool(job.lease_until and job.lease_until > now)


def renew(job: ModelJob) -> None:
    """The worker lives."""
    _row(job).update(lease_until=timezone.now() + LEASE)


def give_back(job: ModelJob) -> None:
    """Not finished for now, and no fault of the job's."""
    _row(job).update(
        state=ModelJob.State.WAITING, lease_until=None, attempts=Greatest(F("attempts") - 1, 0)
    )


def go_on(job: ModelJob) -> None:
    """Its process was ended; the next one goes on where it was, if attempts are left."""
    _row(job).update(state=ModelJob.State.WAITING, lease_until=None)


def stop(job: ModelJob) -> bool:
    """A person wants no more of it. Returns whether there was anything to stop."""
    stopped = ModelJob.objects.unfinished().filter(pk=job.pk)
    return bool(stopped.update(state=ModelJob.State.STOPPED, lease_until=None, step=""))


def start_again(job: ModelJob) -> bool:
    """What was stopped or failed waits once more. Returns whether it did not already; raises
    `Conflict` where the same was asked for anew meanwhile."""
    ended = ModelJob.objects.filter(
        pk=job.pk, state__in=(ModelJob.State.FAILED, ModelJob.State.STOPPED)
    )
    try:
        with transaction.atomic():
            waits = bool(ended.update(state=ModelJob.State.WAITING, attempts=0, message=""))
    except IntegrityError as error:
        raise Conflict("The same is asked for already. Nothing was changed.") from error
    announce()
    return waits


def is_wanted(job: ModelJob) -> bool:
    """Whether who has it in hand should go on with it: nobody stopped it, and no training keeps
    other work waiting."""
    if not _row(job).exists():
        return False
    others = ModelJob.objects.filter(state=ModelJob.State.WAITING)
    return not _comes_last(job) or not others.exclude(kind=ModelJob.Kind.TRAIN).exists()


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
        row = _row(self.job)
        row.update(step=step[:200], done=done, total=total, lease_until=timezone.now() + LEASE)
        if done and self.job.kind == ModelJob.Kind.ACTIVATE:
            # Each batch stays, so whatever ended the attempts before, this one came farther.
            row.exclude(attempts=1).update(attempts=1)


def _row(job: ModelJob) -> ModelJobQuerySet:
    return ModelJob.objects.filter(pk=job.pk, state=ModelJob.State.RUNNING)
