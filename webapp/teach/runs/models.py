"""Trainings: who asked for each and why, what it learned from, how it went and what came of it.

Whether a training waits, runs or has ended stands in its `ModelJob`, as for all long work on
models; what is here stays for good.
"""

from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from webapp.teach.job_models import ModelJob
from webapp.teach.models import ModelVersion


class TrainingRunQuerySet(models.QuerySet["TrainingRun"]):
    def unfinished(self) -> Self:
        return self.filter(job__state__in=(ModelJob.State.WAITING, ModelJob.State.RUNNING))

    def done(self) -> Self:
        return self.filter(job__state=ModelJob.State.DONE)


class TrainingRun(models.Model):
    """One training, from being asked for to the version that it made."""

    kind = models.CharField(max_length=20)  # a name in `webapp.teach.kinds`
    user = models.ForeignKey(  # none: asked for on the command line
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    why = models.CharField(max_length=500)
    parameters = models.JSONField(default=dict)
    seed = models.PositiveIntegerField(default=0)
    job = models.OneToOneField(ModelJob, on_delete=models.PROTECT, related_name="run")

    # Of what it is made; written when the training begins.
    snapshot = models.CharField(max_length=64, blank=True)  # see `webapp.teach.snapshots`
    photos = models.PositiveIntegerField(default=0)
    corrections = models.PositiveIntegerField(default=0)
    last_correction = models.BigIntegerField(default=0)  # id up to which they were known
    code = models.CharField(max_length=80, blank=True)
    machine = models.JSONField(default=dict)
    base = models.ForeignKey(  # whose parts it goes on from
        ModelVersion, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    # How it goes.
    started_at = models.DateTimeField(null=True, blank=True)
    step_began_at = models.DateTimeField(null=True, blank=True)  # of the job's step, this time
    step_began_with = models.BigIntegerField(default=0)  # of the step had been done by then
    furthest = models.PositiveIntegerField(default=0)  # steps that a checkpoint can go on from
    stands_back = models.BooleanField(default=False)  # photos wait for their first look

    # What came of it.
    version = models.ForeignKey(
        ModelVersion, null=True, on_delete=models.SET_NULL, related_name="runs"
    )
    figures = models.JSONField(default=dict)
    finished_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = TrainingRunQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.kind} run {self.pk}"

    @property
    def who(self) -> str:
        return self.user.get_username() if self.user else "the command line"

    @property
    def version_name(self) -> str:
        """What its version is called, in every attempt."""
        return f"{self.kind}-{self.created_at:%Y-%m-%d}-run-{self.pk}"

    @property
    def seconds_left(self) -> float | None:
        """Of the present step, at the speed that it had so far; None while nobody can tell."""
        job = self.job
        gone = job.done - self.step_began_with
        if job.state != ModelJob.State.RUNNING or not self.step_began_at or gone <= 0:
            return None
        taken = (timezone.now() - self.step_began_at).total_seconds()
        return max(0.0, taken / gone * (job.total - job.done))


class RunPoint(models.Model):
    """One point of a run's curves. Never changed: steps done twice give the same values."""

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="points")
    measure = models.CharField(max_length=40)  # "loss", "accuracy", …
    series = models.CharField(max_length=20)  # "training" or "validation"
    fit = models.CharField(max_length=40, blank=True)  # which, where several networks are tried
    step = models.PositiveIntegerField()
    value = models.FloatField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("run", "measure", "series", "fit", "step"), name="one_point_a_step"
            ),
        )

    def __str__(self) -> str:
        return f"{self.measure} of run {self.run_id} at step {self.step}"


class RunLine(models.Model):
    """One line of a run's log."""

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="lines")
    text = models.CharField(max_length=500)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.text
