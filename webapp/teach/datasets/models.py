"""Data sets that classifiers are trained on."""

from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils import timezone

from webapp.teach.job_models import ModelJob


class DataSet(models.Model):
    """Photos with a class each. Once it is ready it never changes; its photos are files."""

    class State(models.TextChoices):
        WAITING = "waiting", "is being read"
        READY = "ready", "ready"
        REFUSED = "refused", "was not taken"

    title = models.CharField(max_length=80)
    source = models.CharField(max_length=500)  # what the ZIP was called, or which folder
    place = models.CharField(max_length=500, blank=True)  # a folder on the server; "": uploaded
    user = models.ForeignKey(  # none: on the command line
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    message = models.CharField(max_length=1000, blank=True)  # why it was not taken
    digest = models.CharField(max_length=64, blank=True)  # names its folder
    photos = models.PositiveIntegerField(default=0)
    classes = models.PositiveIntegerField(default=0)
    job = models.OneToOneField(  # that reads it
        ModelJob, null=True, on_delete=models.SET_NULL, related_name="data_set"
    )
    created_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)  # put away since; see `deleting`

    def __str__(self) -> str:
        return self.title

    @property
    def folder(self) -> Path:
        return datasets_folder() / self.digest

    @property
    def incoming(self) -> Path:
        """Where an uploaded ZIP lies until it was read."""
        return datasets_folder() / ".incoming" / f"{self.pk}.zip"

    @property
    def is_waiting(self) -> bool:
        """Whether a worker has still to read it; not once the job failed."""
        unfinished = (ModelJob.State.WAITING, ModelJob.State.RUNNING)
        waits = self.state == self.State.WAITING
        return waits and self.job is not None and self.job.state in unfinished

    @property
    def problem(self) -> str:
        """Why there are no photos; "" while they are read and when they are here."""
        if self.message or self.state == self.State.READY or self.is_waiting:
            return self.message
        return (self.job.message if self.job else "") or "It could not be read. Send it again."


def datasets_folder() -> Path:
    return Path(settings.MAREA_DATA) / "datasets"
