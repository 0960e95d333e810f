"""Text that was read in photos. The row of a photo and an engine is the truth; what has none waits
to be read."""

from collections.abc import Mapping, Sequence
from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from vision.reading import ENGINE
from webapp.library.models import Photo, PhotoQuerySet

MAX_ATTEMPTS = 3  # of which the worker died each time
# Each line: text, confidence 0 to 1, (left, top, width, height) as shares of the photo.
Lines = list[tuple[str, float, tuple[float, float, float, float]]]


class ReadTextQuerySet(models.QuerySet["ReadText"]):
    def of_this_engine(self) -> Self:
        return self.filter(engine=ENGINE)

    def unfinished(self) -> Self:
        return self.filter(read_at=None)

    def abandoned(self) -> Self:
        """Begun by a worker that died."""
        return self.unfinished().filter(lease_until__lt=timezone.now())

    def set_aside(self) -> Self:
        return self.of_this_engine().exclude(failed="")


class ReadText(models.Model):
    """The text that one engine read in one photo; empty where there is none."""

    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="read_texts")
    engine = models.CharField(max_length=60)
    text = models.TextField(blank=True)  # a line each, as it stands in the photo: hostile text
    confidence = models.FloatField(default=0.0)  # the mean of its lines'
    lines = models.JSONField(default=list)
    failed = models.CharField(max_length=300, blank=True)  # why it was set aside, in a sentence
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)  # of the worker that reads it now
    read_at = models.DateTimeField(null=True)  # None until it was read, or set aside

    objects = ReadTextQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("photo", "engine"), name="read_once_an_engine"),
        )
        indexes = (
            models.Index(fields=("lease_until",), name="being_read", condition=Q(read_at=None)),
        )

    def __str__(self) -> str:
        return f"text in photo {self.photo_id}"


def to_read(photos: PhotoQuerySet) -> PhotoQuerySet:
    """Those of `photos` that were looked at and in which this engine has not read yet.

    Also those that a worker reads now.
    """
    done = ReadText.objects.of_this_engine().filter(photo=OuterRef("pk")).exclude(read_at=None)
    return photos.searchable().filter(~Exists(done))


def texts_in(photo_ids: Sequence[int]) -> Mapping[int, str]:
    """What was read in these photos, by this engine or an earlier one; those without are left out.

    An earlier engine's text stands until this one has read the photo.
    """
    rows = ReadText.objects.filter(photo__in=photo_ids).exclude(text="")
    return dict(rows.order_by("pk").values_list("photo_id", "text"))
