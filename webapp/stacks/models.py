"""Stacks: copies of one photo, and bursts, as one tile. Derived from the photos by a worker; only
what a person says about them is no one else's to know."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from webapp.library.models import Photo
from webapp.teach.models import ModelVersion

if TYPE_CHECKING:
    from webapp.accounts.models import User


class Print(models.Model):
    """What is compared of a photo beside its embedding. See `webapp.stacks.likeness`."""

    photo = models.OneToOneField(
        Photo, on_delete=models.CASCADE, primary_key=True, related_name="print"
    )
    grey = models.BinaryField(max_length=1024)  # 32 × 32, the photo squashed to a square
    sharpness = models.FloatField()  # compares photos of one stack only

    def __str__(self) -> str:
        return f"print of photo {self.photo_id}"


class StackQuerySet(models.QuerySet["Stack"]):
    def visible_to(self, user: "User") -> Self:
        return self.filter(owner=user)

    def to_review(self) -> Self:
        """Those with two photos or more in the library, some of which nobody said to keep."""
        shown = StackMember.objects.filter(stack=OuterRef("pk"), photo__trashed_at=None)
        unsaid = shown.filter(photo__stack_word=None)
        return self.filter(Exists(unsaid)).annotate(
            size=models.Count("members", filter=Q(members__photo__trashed_at=None))
        ).filter(size__gt=1)  # fmt: skip


class Stack(models.Model):
    """Photos of one owner that show the same."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="stacks"
    )

    objects = StackQuerySet.as_manager()

    def __str__(self) -> str:
        return f"stack {self.pk}"


class StackMemberQuerySet(models.QuerySet["StackMember"]):
    def visible_to(self, user: "User") -> Self:
        return self.filter(stack__owner=user)

    def folded_for(self, user: "User") -> Self:
        """The user's, unless they want to see every photo as a tile of its own."""
        unfolds = StackChoice.objects.filter(user=user, unfolds=True)
        return self.visible_to(user).filter(~Exists(unfolds))


class StackMember(models.Model):
    """A photo in a stack. `place` is its rank by quality, the best one's is 0."""

    class Kind(models.TextChoices):
        COPY = "copy", "the same picture"
        BURST = "burst", "taken at the same moment"

    photo = models.OneToOneField(
        Photo, on_delete=models.CASCADE, primary_key=True, related_name="stacked"
    )
    stack = models.ForeignKey(Stack, on_delete=models.CASCADE, related_name="members")
    place = models.PositiveIntegerField(default=0)
    kind = models.CharField(max_length=5, choices=Kind.choices)

    objects = StackMemberQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=("stack", "place"), name="stack_order"),)

    def __str__(self) -> str:
        return f"photo {self.photo_id} in stack {self.stack_id}"


class StackWord(models.Model):
    """What a person said about a photo in a stack; it outlives the stack."""

    class Says(models.TextChoices):
        KEEP = "keep", "not to be offered as a duplicate again"
        APART = "apart", "not to be stacked"

    photo = models.OneToOneField(
        Photo, on_delete=models.CASCADE, primary_key=True, related_name="stack_word"
    )
    says = models.CharField(max_length=5, choices=Says.choices)

    def __str__(self) -> str:
        return f"photo {self.photo_id}: {self.says}"


class StackChoice(models.Model):
    """Whether a person wants to see every photo as a tile of its own."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="stack_choice",
    )
    unfolds = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"choice of user {self.user_id}"


class StackProgress(models.Model):
    """How far stacks follow the photos' change numbers, with the embeddings of which version."""

    version = models.OneToOneField(
        ModelVersion, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    change_number = models.PositiveBigIntegerField(default=0)
    photo_id = models.PositiveBigIntegerField(default=0)  # the last one done of that number

    def __str__(self) -> str:
        return f"stacks up to change {self.change_number}"
