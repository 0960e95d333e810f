"""Pictures that somebody searches by and that are in no library: kept for an hour."""

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from webapp.teach.models import ModelVersion

if TYPE_CHECKING:
    from webapp.accounts.models import User

KEPT = timedelta(hours=1)
MAX_ATTEMPTS = 3  # of which the worker died each time, or its signal was lost


class ExampleImageQuerySet(models.QuerySet["ExampleImage"]):
    def visible_to(self, user: "User") -> Self:
        return self.filter(owner=user)

    def expired(self) -> Self:
        return self.filter(created_at__lt=timezone.now() - KEPT)

    def kept(self) -> Self:
        return self.filter(created_at__gte=timezone.now() - KEPT)

    def waiting(self, version: ModelVersion) -> Self:
        """Those that `version` has still to look at."""
        unseen = self.kept().filter(failed="", attempts__lt=MAX_ATTEMPTS)
        return unseen.exclude(version=version, embedding__isnull=False)


class ExampleImage(models.Model):
    """A picture to search by: a small copy of it, and what a model version makes of it.

    Neither the file nor its name or metadata is kept.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="example_images"
    )
    key = models.CharField(max_length=43, unique=True)
    picture = models.BinaryField()  # WebP, see `services.LONG_SIDE`
    version = models.ForeignKey(
        ModelVersion, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    embedding = models.BinaryField(max_length=1024, null=True)  # as of `Sight.embedding`
    failed = models.CharField(max_length=300, blank=True)  # why there is none, in a sentence
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = ExampleImageQuerySet.as_manager()

    def __str__(self) -> str:
        return f"example image {self.pk}"
