"""Photos: what is known about them, who holds them for work, and in which order they changed."""

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import connection, models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

if TYPE_CHECKING:
    from webapp.accounts.models import User


class ChangeCounter(models.Model):
    """One row, counting changes that search must follow.

    Its row stays locked until the transaction that took a number commits, so numbers become
    visible in their order and a reader that has seen n will never find a new row below n, on
    PostgreSQL as on SQLite. Take numbers late in a transaction and keep the rest of it short.
    """

    value = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.value)

    @classmethod
    def next(cls) -> int:
        """The next change number. Must run inside a transaction."""
        if not cls.objects.filter(pk=1).update(value=F("value") + 1):
            cls.objects.get_or_create(pk=1)
            cls.objects.filter(pk=1).update(value=F("value") + 1)
        return cls.objects.values_list("value", flat=True).get(pk=1)

    @classmethod
    def current(cls) -> int:
        """Asked at every search, some of which take no longer than Django to write this query."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT value FROM {cls._meta.db_table} WHERE id = 1")  # noqa: S608
            row = cursor.fetchone()
        return row[0] if row else 0


class PhotoQuerySet(models.QuerySet["Photo"]):
    def visible_to(self, user: "User") -> Self:
        """Photos that `user` may see. Every queryset that reaches a person begins here."""
        return self.filter(owner=user)

    def in_library(self) -> Self:
        return self.filter(trashed_at=None)

    def in_trash(self) -> Self:
        return self.exclude(trashed_at=None)

    def newest_first(self) -> Self:
        """The library's order; (shown_at, id) is unique, so cursors can use it."""
        return self.order_by("-shown_at", "-id")

    def waiting(self) -> Self:
        return self.filter(state=Photo.State.WAITING)

    def claimable(self) -> Self:
        """Waiting photos that nobody holds, or whose holder's lease has run out."""
        free = Q(lease_until=None) | Q(lease_until__lt=timezone.now())
        return self.waiting().filter(free)

    def held_by(self, holder: str) -> Self:
        return self.waiting().filter(holder=holder)

    def searchable(self) -> Self:
        return self.in_library().filter(state=Photo.State.READY)

    def changed_after(self, number: int) -> Self:
        return self.filter(change_number__gt=number).order_by("change_number")

    def unplaced(self) -> Self:
        """Photos with a position of which nobody has asked yet what is there."""
        return self.filter(place_version=0, latitude__isnull=False, longitude__isnull=False)

    def lock(self) -> list[int]:
        """Their ids. Until the transaction ends, whoever else locks any of them waits.

        Lock photos before what hangs on them, such as tags and words: always in this order, two
        who change the same photos take turns and never wait for each other.
        """
        rows = self.order_by("pk").select_for_update(no_key=True)
        return list(rows.values_list("pk", flat=True))

    def mark_changed(self) -> int:
        """Give the photos a new change number, so that search looks at them again."""
        return self.update(change_number=ChangeCounter.next())


class Photo(models.Model):
    """One photo of one owner. Its bytes are the original stored under its SHA-256."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting to be looked at"
        READY = "ready", "Ready"
        FAILED = "failed", "Set aside"

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="photos"
    )
    sha256 = models.CharField(max_length=64)
    file_name = models.CharField(max_length=255)
    media_type = models.CharField(max_length=40)
    size_bytes = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField()  # upright, pixels
    height = models.PositiveIntegerField()
    placeholder = models.BinaryField(max_length=400, default=b"")  # tiny WebP, see vision.decoding

    # As the camera's clock showed it, kept as if it were UTC: photos sort by local time.
    taken_at = models.DateTimeField(null=True)
    uploaded_at = models.DateTimeField(default=timezone.now)
    shown_at = models.DateTimeField()  # taken_at, or the file's or upload's time on clocks here
    camera = models.CharField(max_length=100, blank=True)
    lens = models.CharField(max_length=100, blank=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    # What is there, as a `Place` has it; see `services.places`. Empty is unknown.
    town = models.CharField(max_length=100, blank=True, default="")
    region = models.CharField(max_length=100, blank=True, default="")
    country = models.CharField(max_length=100, blank=True, default="")
    place_version = models.PositiveSmallIntegerField(default=0)  # 0: nobody has looked it up

    own_caption = models.CharField(max_length=500, blank=True)  # a person's; outranks the model's
    is_favourite = models.BooleanField(default=False)
    trashed_at = models.DateTimeField(null=True)

    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    holder = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)
    change_number = models.PositiveBigIntegerField(default=0)

    objects = PhotoQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("owner", "sha256"), name="photo_once_an_owner"),
        )
        indexes = (
            models.Index(fields=("owner", "-shown_at", "-id"), name="photo_timeline"),
            models.Index(fields=("state", "attempts", "id"), name="photo_queue"),
            models.Index(fields=("change_number",), name="photo_changes"),
            models.Index(fields=("sha256",), name="photo_content"),
            models.Index(
                fields=("owner", "trashed_at"), name="photo_trash", condition=~Q(trashed_at=None)
            ),
            models.Index(
                fields=("owner", "country", "region", "town"),
                name="photo_places",
                condition=~Q(country=""),
            ),
            models.Index(fields=("owner", "camera"), name="photo_cameras", condition=~Q(camera="")),
            models.Index(
                fields=("id",),
                name="photo_unplaced",
                condition=Q(place_version=0, latitude__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"photo {self.pk}"

    @property
    def place_names(self) -> list[str]:
        """Rome, Lazio, Italy: of names that say the same only one."""
        return list(dict.fromkeys(filter(None, (self.town, self.region, self.country))))

    @property
    def original_name(self) -> str:
        """Where the original is, within its storage."""
        return f"{self.sha256[:2]}/{self.sha256[2:4]}/{self.sha256}"


class PlaceQuerySet(models.QuerySet["Place"]):
    def visible_to(self, user: "User") -> Self:
        """Places where `user` has photos."""
        there = Photo.objects.visible_to(user).in_library()
        same = there.filter(
            country=OuterRef("country"), region=OuterRef("region"), town=OuterRef("town")
        )
        return self.filter(Exists(same.exclude(country="")))


class Place(models.Model):
    """A place that photos have, with its names as search compares them (`search.words.split`)."""

    town = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=100)
    town_key = models.CharField(max_length=100, blank=True)
    region_key = models.CharField(max_length=100, blank=True)
    country_key = models.CharField(max_length=100)

    objects = PlaceQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("country", "region", "town"), name="place_once"),
        )

    def __str__(self) -> str:
        return f"place {self.pk}"

    @classmethod
    def photos_called(cls, key: str) -> Q:
        """Photos in a town, region or country whose key is `key` or begins with these words."""
        found = Q()
        for part in ("town", "region", "country"):
            named = Q(**{f"{part}_key": key}) | Q(**{f"{part}_key__startswith": f"{key} "})
            found |= Q(**{f"{part}__in": cls.objects.filter(named).values(part)})
        return found


class DeletedPhotoQuerySet(models.QuerySet["DeletedPhoto"]):
    def changed_after(self, number: int) -> Self:
        return self.filter(change_number__gt=number).order_by("change_number")


class DeletedPhoto(models.Model):
    """What is left of a deleted photo: its id and when search has to forget it."""

    photo_id = models.PositiveBigIntegerField(primary_key=True)
    change_number = models.PositiveBigIntegerField(db_index=True)
    deleted_at = models.DateTimeField(default=timezone.now)

    objects = DeletedPhotoQuerySet.as_manager()

    def __str__(self) -> str:
        return f"deleted photo {self.photo_id}"

    @classmethod
    def remember(cls, photo_ids: Iterable[int]) -> None:
        number = ChangeCounter.next()
        cls.objects.bulk_create(
            [cls(photo_id=photo_id, change_number=number) for photo_id in photo_ids],
            update_conflicts=True,  # SQLite may give the highest id again after a restore
            unique_fields=["photo_id"],
            update_fields=["change_number", "deleted_at"],
        )


class UploadQuerySet(models.QuerySet["Upload"]):
    def visible_to(self, user: "User") -> Self:
        return self.filter(owner=user)

    def stale(self) -> Self:
        """Unfinished uploads that nobody has touched for a day."""
        return self.filter(touched_at__lt=timezone.now() - timedelta(days=1))


class Upload(models.Model):
    """An upload on its way: its bytes so far are a file in MAREA_UPLOADS (tus protocol)."""

    class Purpose(models.TextChoices):
        PHOTO = "photo", "a photo for the library"
        DATA_SET = "data_set", "a ZIP of photos to train on"

    purpose = models.CharField(max_length=8, choices=Purpose.choices, default=Purpose.PHOTO)
    key = models.CharField(max_length=43, unique=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads"
    )
    file_name = models.CharField(max_length=255)
    title = models.CharField(max_length=80, blank=True)  # what a data set is to be called
    size_bytes = models.PositiveBigIntegerField()
    modified_at = models.DateTimeField(null=True)
    touched_at = models.DateTimeField(default=timezone.now)

    objects = UploadQuerySet.as_manager()

    def __str__(self) -> str:
        return f"upload {self.pk}"


class WorkerQuerySet(models.QuerySet["Worker"]):
    def present(self) -> Self:
        """Those that are at work as far as anybody can tell: they report every ten seconds."""
        return self.filter(seen_at__gte=timezone.now() - Worker.ABSENT_AFTER)

    def forgotten(self) -> Self:
        """Those that have been absent for so long that nobody asks about them any more."""
        return self.filter(seen_at__lt=timezone.now() - Worker.FORGOTTEN_AFTER)


class Worker(models.Model):
    """A worker process as it last reported itself."""

    ABSENT_AFTER = timedelta(seconds=45)  # several missed reports
    FORGOTTEN_AFTER = timedelta(minutes=5)

    name = models.CharField(max_length=80, primary_key=True)
    queues = models.CharField(max_length=100)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    memory_mb = models.PositiveIntegerField(default=0)
    device = models.CharField(max_length=40, blank=True)

    objects = WorkerQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
