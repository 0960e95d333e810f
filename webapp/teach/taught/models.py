"""Tags that people taught from examples; each is its owner's alone."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from search.teaching.asking import How
from search.teaching.line import Line
from webapp.library.models import Photo
from webapp.teach.models import ModelVersion, PhotoTag, Tag

if TYPE_CHECKING:
    from webapp.accounts.models import User


class TaughtTagQuerySet(models.QuerySet["TaughtTag"]):
    def visible_to(self, user: "User") -> Self:
        return self.filter(owner=user)

    def kept(self) -> Self:
        return self.filter(deleted_at=None)

    def with_examples(self) -> Self:
        """With `examples`: how many photos in the library their owner said show it."""
        said = PhotoTag.objects.filter(
            tag=OuterRef("tag"), photo__owner=OuterRef("owner"), source=PhotoTag.Source.PERSON
        )
        counted = said.in_library().order_by().values("tag").annotate(n=Count("pk")).values("n")
        return self.annotate(examples=Coalesce(Subquery(counted), 0))

    def at_work(self) -> Self:
        return self.kept().filter(is_on=True)


class TaughtTag(models.Model):
    """A tag that a person teaches. Its examples are what they said about it: `PhotoTag` rows that
    are a person's, given or rejected, on their own photos."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="taught_tags"
    )
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="taught")
    is_on = models.BooleanField(default=False)  # whether it tags the owner's library
    created_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)  # and can be brought back

    objects = TaughtTagQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("owner", "tag"), name="taught_once_an_owner"),
        )

    def __str__(self) -> str:
        return f"taught tag {self.pk} of user {self.owner_id}"


class TaughtAnswer(models.Model):
    """How a photo came to be answered, without which nothing could be said about the others."""

    taught = models.ForeignKey(TaughtTag, on_delete=models.CASCADE, related_name="answers")
    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="taught_answers")
    how = models.CharField(max_length=8, choices=[(how.value, how.value) for how in How])
    chance = models.FloatField(default=1.0)  # with which it was drawn
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("taught", "photo"), name="answered_once_a_tag"),
        )

    def __str__(self) -> str:
        return f"answer about photo {self.photo_id}"


class TaughtLine(models.Model):
    """What was learnt from the examples, in the embeddings of one model version."""

    taught = models.ForeignKey(TaughtTag, on_delete=models.CASCADE, related_name="lines")
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="taught_lines")
    numbers = models.BinaryField(max_length=4096)  # see `search.teaching.line.Line.as_bytes`
    learnt_from = models.CharField(max_length=64)  # which examples, see `taught.refit`
    told_through = models.PositiveBigIntegerField(default=0)  # the last photo that it was told of
    is_told = models.BooleanField(default=False)  # whether all of the library was told

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("taught", "version"), name="one_line_a_version"),
        )

    def __str__(self) -> str:
        return f"line of taught tag {self.taught_id} for version {self.version_id}"

    @property
    def line(self) -> Line:
        return Line.from_bytes(self.numbers)
