"""Long work on model versions that an administrator asked for: the row says how far it is."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

MEGABYTE = 1_000_000


class ModelJobQuerySet(models.QuerySet["ModelJob"]):
    def unfinished(self) -> Self:
        return self.filter(state__in=(ModelJob.State.WAITING, ModelJob.State.RUNNING))

    def in_hand(self) -> Self:
        """Those that a living worker has."""
        return self.filter(state=ModelJob.State.RUNNING, lease_until__gt=timezone.now())

    def claimable(self) -> Self:
        """Those that wait, and those whose worker died."""
        lost = Q(state=ModelJob.State.RUNNING) & ~Q(lease_until__gt=timezone.now())
        return self.filter(Q(state=ModelJob.State.WAITING) | lost)


class ModelJob(models.Model):
    """Pull, adopt, activate or train one model. One worker at a time does what stands here."""

    class Kind(models.TextChoices):
        PULL = "pull", "Pull"
        ADOPT = "adopt", "Adopt"
        ACTIVATE = "activate", "Put to work"
        COMPARE = "compare", "Compare"
        READ = "read", "Read photos"  # its name is the number of a `DataSet`
        FORGET = "forget", "Take away"  # its name is that of a classifier
        TRAIN = "train", "Train"  # its name is the number of a `TrainingRun`

    class State(models.TextChoices):
        WAITING = "waiting", "waits for a worker"
        RUNNING = "running", "at work"
        DONE = "done", "done"
        FAILED = "failed", "failed"
        STOPPED = "stopped", "stopped by a person"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=80)  # of the model, or of the version
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    step = models.CharField(max_length=200, blank=True)  # what is being done just now
    done = models.BigIntegerField(default=0)  # bytes or photos of that step
    total = models.BigIntegerField(default=0)
    message = models.CharField(max_length=1000, blank=True)  # how it ended
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    user = models.ForeignKey(  # none: asked for by a program of the machine itself
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    reason = models.CharField(max_length=500, blank=True)  # why in spite of the gate
    created_at = models.DateTimeField(default=timezone.now)

    objects = ModelJobQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "name"),
                condition=Q(state__in=("waiting", "running")),
                name="one_unfinished_job",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.state}"

    @property
    def subject(self) -> str:
        """What it is about, for people."""
        numbered = {self.Kind.TRAIN: "run", self.Kind.READ: "data set"}
        word = numbered.get(self.Kind(self.kind))
        return f"{word} {self.name}" if word else self.name

    @property
    def amount(self) -> str:
        """How much of the step is done, for people."""
        if not self.total:
            return ""
        if self.total < MEGABYTE:
            return f"{self.done:,} of {self.total:,}"
        return f"{self.done / MEGABYTE:,.0f} of {self.total / MEGABYTE:,.0f} MB"
