"""Heat maps: asked for by people, drawn by a worker, kept for a day."""

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils import timezone

from webapp.library.models import Photo
from webapp.teach.models import ModelVersion

if TYPE_CHECKING:
    from webapp.accounts.models import User

KEPT = timedelta(days=1)
MAX_ATTEMPTS = 3  # of which the worker died each time, or its signal was lost


class HeatMapQuerySet(models.QuerySet["HeatMap"]):
    def visible_to(self, user: "User") -> Self:
        return self.filter(photo__owner=user)

    def waiting(self) -> Self:
        return self.filter(png=None, failed="", attempts__lt=MAX_ATTEMPTS)

    def expired(self) -> Self:
        return self.filter(created_at__lt=timezone.now() - KEPT)


class HeatMap(models.Model):
    """Where on a photo a model version sees what a query asks for.

    The query itself is not kept, only what the version makes of it.
    """

    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="heat_maps")
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="heat_maps")
    digest = models.CharField(max_length=64)  # SHA-256 of `embedding`
    embedding = models.BinaryField(max_length=1024)  # the query's, as of `Sight.embedding`
    png = models.BinaryField(null=True)  # None until it is drawn
    failed = models.CharField(max_length=300, blank=True)  # why it cannot be drawn, in a sentence
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    objects = HeatMapQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("photo", "version", "digest"), name="one_heat_map_a_query"
            ),
        )

    def __str__(self) -> str:
        return f"heat map {self.pk} of photo {self.photo_id}"
