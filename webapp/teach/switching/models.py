"""How versions were judged, and who put which to work, when and why. Append-only."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from webapp.teach.models import ModelVersion


class Activation(models.Model):
    """One switch. Rows are never changed or deleted; names outlive the versions."""

    class Kind(models.TextChoices):
        ACTIVATED = "activated", "put to work"
        ROLLED_BACK = "rolled_back", "rolled back to"

    kind = models.CharField(max_length=11, choices=Kind.choices)
    version = models.ForeignKey(
        ModelVersion, null=True, on_delete=models.SET_NULL, related_name="activations"
    )
    name = models.CharField(max_length=80)
    before = models.CharField(max_length=80, blank=True)  # name of the version that served
    user = models.ForeignKey(  # none: asked for on the command line
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    reason = models.CharField(max_length=500, blank=True)  # why in spite of the gate
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.name} {self.get_kind_display()}"

    @property
    def who(self) -> str:
        return self.user.get_username() if self.user else "the command line"


class Verdict(models.Model):
    """One judging of a version beside the one that was active then, of their weights by digest."""

    class Outcome(models.TextChoices):
        FIT = "fit", "may be put to work"
        WORSE = "worse", "worse than the one at work"
        UNFIT = "unfit", "must not be put to work"

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="verdicts")
    against = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    against_digest = models.CharField(max_length=64)
    outcome = models.CharField(max_length=5, choices=Outcome.choices)
    reasons = models.JSONField(default=list)  # sentences
    measures = models.JSONField(default=list)  # see `webapp.teach.judging.measures.Measure`
    photos = models.PositiveIntegerField(default=0)  # held out, that both looked at
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.version_id} beside {self.against_id}: {self.outcome}"
