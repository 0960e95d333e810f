"""What models say about photos, what people say, and whose word counts."""

from typing import TYPE_CHECKING, Self
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from search import fulltext
from webapp.accounts.models import Language
from webapp.library.models import Photo, PhotoQuerySet
from webapp.teach.versions.serving import serving

if TYPE_CHECKING:
    from webapp.accounts.models import User


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def active(self) -> "ModelVersion | None":
        return self.filter(is_active=True).first()

    def told(self) -> Self:
        """Those whose words about photos are kept up to date: the active one, the one before, and
        one that is made ready."""
        return self.filter(Q(is_active=True) | ~Q(texts="")).order_by("pk")


class ModelVersion(models.Model):
    """A folder of weights that can look at photos. One version is active."""

    name = models.CharField(max_length=80, unique=True)
    folder = models.CharField(max_length=500, blank=True)  # empty: among the shipped weights
    digest = models.CharField(max_length=64, blank=True)  # SHA-256 of its manifest
    metrics = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    activated_at = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=False)
    is_pinned = models.BooleanField(default=False)  # a person wants it kept
    # What is kept of it so that a switch to it is one row; see `webapp.teach.readying`.
    texts = models.CharField(max_length=40, blank=True)  # its full-text table; empty: none
    told_until = models.BigIntegerField(default=0)  # photos up to which its table was filled
    is_ready = models.BooleanField(default=False)  # tags, texts and index once were complete
    unreadable = models.JSONField(default=list, blank=True)  # ids of photos it could not look at

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("is_active",), condition=Q(is_active=True), name="one_active_version"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def table(self) -> str:
        """The full-text table with its words."""
        return self.texts or fulltext.TABLE


def of_version_that_serves() -> Q:
    """Rows of the active version; within one request always of the same one."""
    if serving() is None:
        return Q(version__is_active=True)
    version = _version_that_serves()
    return Q(version=version) if version else Q(pk__in=[])


def _version_that_serves() -> ModelVersion | None:
    block = serving()
    if block is None:
        return ModelVersion.objects.active()
    if block.version is None:
        block.version = ModelVersion.objects.active()
    return block.version


class SightQuerySet(models.QuerySet["Sight"]):
    def of_active_version(self) -> Self:
        return self.filter(of_version_that_serves())


class Sight(models.Model):
    """What one model version saw in one photo."""

    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="sights")
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="sights")
    embedding = models.BinaryField(max_length=1024)  # 512 little-endian float16, unit norm
    caption = models.CharField(max_length=500, blank=True)
    caption_confidence = models.FloatField(default=0.0)  # see vision.training.captions.confidence
    other_captions = models.JSONField(default=dict)  # {language: [caption, confidence]}
    tags = models.JSONField(default=list)  # [[name, probability], …], best first
    created_at = models.DateTimeField(default=timezone.now)

    objects = SightQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("photo", "version"), name="one_sight_a_version"),
        )

    def __str__(self) -> str:
        return f"sight of photo {self.photo_id} by version {self.version_id}"

    @property
    def likely_captions(self) -> dict[str, tuple[str, float]]:
        """(Caption, confidence) by language code, as far as likely enough to be shown."""
        english = [self.caption, self.caption_confidence]
        every = {Language.ENGLISH.value: english, **self.other_captions}.items()
        least = settings.MAREA_CAPTION_CONFIDENCE
        return {code: (text, sure) for code, (text, sure) in every if text and sure >= least}


class Tag(models.Model):
    """A word on photos. Shared by all users; who may see it follows from the photos."""

    name = models.CharField(max_length=80, unique=True)

    def __str__(self) -> str:
        return self.name


class PhotoTagQuerySet(models.QuerySet["PhotoTag"]):
    def visible_to(self, user: "User") -> Self:
        return self.filter(photo__owner=user)

    def shown(self) -> Self:
        """Tags as people see them: what people gave, and of what no person spoke about what the
        active version sees."""
        given = Q(version=None, source=PhotoTag.Source.PERSON)
        if serving() is None:
            return self.filter(given | of_version_that_serves())
        # By an expression, which no index has: by that of versions, SQLite would go through every
        # tag of the version to find those of one page of photos.
        version = _version_that_serves()
        seen = Q(seen_by=version.pk) if version else Q(pk__in=[])
        return self.alias(seen_by=Coalesce("version_id", 0)).filter(given | seen)

    def in_library(self) -> Self:
        return self.filter(photo__trashed_at=None)


class PhotoTag(models.Model):
    """The present state of one tag on one photo, derived from sights and corrections.

    What versions see lives side by side. Where a person spoke about a tag on a photo, theirs is the
    only row: no version has one there.
    """

    class Source(models.TextChoices):
        MODEL = "model", "seen by the model"
        TAUGHT = "taught", "seen by what its owner taught"
        PERSON = "person", "given by a person"
        REJECTED = "rejected", "taken away by a person"

    photo = models.ForeignKey(  # "photo_source" serves it as an index
        Photo, on_delete=models.CASCADE, related_name="photo_tags", db_index=False
    )
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="photo_tags")
    version = models.ForeignKey(  # that sees it; None: a person's word
        ModelVersion, on_delete=models.CASCADE, null=True, blank=True, related_name="photo_tags"
    )
    source = models.CharField(max_length=8, choices=Source.choices)
    probability = models.FloatField(default=1.0)

    objects = PhotoTagQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("photo", "tag", "version"), name="tag_once_a_version"),
            models.UniqueConstraint(
                fields=("photo", "tag"), condition=Q(version=None), name="tag_said_once"
            ),
            models.CheckConstraint(
                condition=Q(source__in=("model", "taught"), version__isnull=False)
                | (~Q(source__in=("model", "taught")) & Q(version__isnull=True)),
                name="models_tags_have_versions",
            ),
        )
        indexes = (
            models.Index(fields=("tag", "source"), name="tag_source"),
            models.Index(fields=("photo", "source"), name="photo_source"),
        )

    def __str__(self) -> str:
        return f"tag {self.tag_id} on photo {self.photo_id}"


class CorrectionQuerySet(models.QuerySet["Correction"]):
    def visible_to(self, user: "User") -> Self:
        return self.filter(photo__owner=user)

    def with_undone(self) -> Self:
        """With `is_undone`: whether the person who said it took it back."""
        return self.annotate(is_undone=Exists(Correction.objects.filter(undoes=OuterRef("pk"))))

    def standing(self) -> Self:
        """What still holds: neither taken back nor itself the taking back of something.

        Of several about the same tag on a photo, or about its caption, the last counts.
        """
        return self.with_undone().filter(is_undone=False).exclude(kind=Correction.Kind.UNDO)

    def about_tags(self) -> Self:
        return self.filter(kind__in=Correction.TAGS)


class Correction(models.Model):
    """A person's word about a photo. Append-only: rows are never changed or deleted.

    What a person said at once, about however many photos, has one `act`. Taking it back is an event
    of its own for each of its events.
    """

    class Kind(models.TextChoices):
        ADD_TAG = "add_tag", "added a tag"
        CONFIRM_TAG = "confirm_tag", "confirmed a tag"
        REJECT_TAG = "reject_tag", "rejected a tag"
        CAPTION = "caption", "wrote a caption"
        UNDO = "undo", "took something back"

    TAGS = (Kind.ADD_TAG, Kind.CONFIRM_TAG, Kind.REJECT_TAG)

    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="corrections")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="corrections"
    )
    kind = models.CharField(max_length=11, choices=Kind.choices)
    value = models.CharField(max_length=500)  # the tag or the caption
    act = models.UUIDField(default=uuid4, db_index=True)
    undoes = models.OneToOneField(
        "self", on_delete=models.CASCADE, null=True, related_name="undone_by"
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=("photo", "-id"), name="correction_history"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} on photo {self.photo_id}"


def lacking_sight(
    photos: "models.QuerySet[Photo]", version: ModelVersion
) -> "models.QuerySet[Photo]":
    """Those of `photos` that this model version has not looked at yet."""
    done = Sight.objects.filter(photo=OuterRef("pk"), version=version)
    return photos.filter(~Exists(done))


def tagged(photos: PhotoQuerySet, name: str) -> PhotoQuerySet:
    """Those of `photos` on which people see this tag."""
    shown = PhotoTag.objects.shown().filter(photo=OuterRef("pk"), tag__name=name)
    return photos.filter(Exists(shown))
