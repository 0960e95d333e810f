"""How a training in its process tells people how far it is, and hears from them.

A training calls its teller between steps; that is where it stands back while photos wait for their
first look, and where it ends when somebody stopped it.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from math import isfinite
from time import monotonic, sleep

from django.db import DatabaseError, connection
from django.utils import timezone

from webapp.library.models import Photo
from webapp.teach import jobs
from webapp.teach.job_models import ModelJob
from webapp.teach.runs.models import RunLine, RunPoint, TrainingRun

TOLD_EVERY_S = 0.5
MOST_POINTS = 300  # of one curve: more than a page has pixels for
RENEWED_EVERY_S = 20.0
VALIDATION = "validation"
TRAINING = "training"


class Stopped(Exception):
    """Somebody stopped this training, or its worker is given other work first."""


class Teller:
    """Tells about one run. Every method raises `Stopped` once the run is to end."""

    def __init__(self, run: TrainingRun) -> None:
        self.run = run
        self._step = ""
        self._told_at = 0.0

    def say(self, text: str) -> None:
        """A line for the log."""
        RunLine.objects.create(run=self.run, text=text[:500])

    def step(self, name: str, done: int = 0, total: int = 0) -> None:
        """What is being done, and how much of it."""
        now = monotonic()
        if name == self._step and done < total and now - self._told_at < TOLD_EVERY_S:
            return
        if name != self._step:
            self._begin(name, done)
        self._told_at = now
        self._write(name, done, total)
        self._stand_back()

    def training(self, name: str) -> Callable[[int, int, Mapping[str, float]], None]:
        """A progress callback for `vision.training`: its figures become points of curves.

        A figure called "validation …" is a point of the validation curve, others of training's.
        """

        def progress(done: int, total: int, figures: Mapping[str, float]) -> None:
            self.step(name, done, total)
            every = max(1, total // MOST_POINTS)
            judged = any(figure.startswith(VALIDATION) for figure in figures)
            if judged or done % every == 0 or done == total:
                self.points(done, figures)
            self._reached(done)

        return progress

    def points(self, step: int, figures: Mapping[str, float], *, fit: str = "") -> None:
        """One point of each figure's curve; of a figure that is no number there is none. `fit` says
        which network it is of, where several are tried."""
        RunPoint.objects.bulk_create(
            [
                _point(self.run, step, name, value, fit)
                for name, value in figures.items()
                if isfinite(value)
            ],
            ignore_conflicts=True,
        )

    def _begin(self, name: str, done: int) -> None:
        self._step = name
        self.say(name)
        now = timezone.now()
        TrainingRun.objects.filter(pk=self.run.pk).update(step_began_at=now, step_began_with=done)

    def _write(self, name: str, done: int, total: int) -> None:
        in_hand = ModelJob.objects.filter(pk=self.run.job_id, state=ModelJob.State.RUNNING)
        until = timezone.now() + jobs.LEASE
        if not in_hand.update(step=name[:200], done=done, total=total, lease_until=until):
            raise Stopped

    def _reached(self, done: int) -> None:
        """Farther than any attempt before: whatever ended those, it is not stuck."""
        if done > self.run.furthest:
            self.run.furthest = done
            TrainingRun.objects.filter(pk=self.run.pk).update(furthest=done)
            ModelJob.objects.filter(pk=self.run.job_id).exclude(attempts=1).update(attempts=1)

    def _stand_back(self) -> None:
        """Wait while photos wait for their first look."""
        if not Photo.objects.claimable().exists():
            return
        self._mark_standing_back(True)
        self.say("Stands back: photos wait for their first look.")
        began = monotonic()
        while Photo.objects.claimable().exists():
            sleep(TOLD_EVERY_S)
            self._write(self._step, *self._amounts())
        self._mark_standing_back(False)
        self.say(f"Goes on after {monotonic() - began:.0f} seconds.")

    def _amounts(self) -> tuple[int, int]:
        job = ModelJob.objects.get(pk=self.run.job_id)
        return job.done, job.total

    def _mark_standing_back(self, stands_back: bool) -> None:
        TrainingRun.objects.filter(pk=self.run.pk).update(stands_back=stands_back)


def _point(run: TrainingRun, step: int, name: str, value: float, fit: str) -> RunPoint:
    series = VALIDATION if name.startswith(VALIDATION) else TRAINING
    measure = name.removeprefix(VALIDATION).strip()
    return RunPoint(
        run=run, measure=measure, series=series, fit=fit[:40], step=step, value=float(value)
    )


@contextmanager
def kept_in_hand(job: ModelJob) -> Iterator[None]:
    """While this lasts, no worker thinks that the job's process died, however long a step takes."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(RENEWED_EVERY_S):
            with suppress(DatabaseError):  # busy just now; the lease outlasts several turns
                jobs.renew(job)
        connection.close()

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
