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

    def __str__(self) -> str:
        return self.title

    @property
    def folder(self) -> Path:
        return Path(settings.MAREA_DATA) / "datasets" / self.digest
