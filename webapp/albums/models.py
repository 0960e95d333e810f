"""Albums: photos that a person put together under a name. A photo may be in any number of them.

And the folders that photos came in, which are a person's order as well.
"""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from webapp.library.models import Photo

if TYPE_CHECKING:
    from webapp.accounts.models import User

MAX_NAME_LENGTH = 100
MAX_FOLDER_LENGTH = 200


class AlbumQuerySet(models.QuerySet["Album"]):
    def visible_to(self, user: "User") -> Self:
        return self.filter(owner=user)

    def by_name(self) -> Self:
        return self.order_by("name", "pk")


class Album(models.Model):
    """A name for some of its owner's photos. Deleting it leaves the photos where they are."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="albums"
    )
    name = models.CharField(max_length=MAX_NAME_LENGTH)
    created_at = models.DateTimeField(default=timezone.now)

    objects = AlbumQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("owner", "name"), name="album_name_once_an_owner"),
        )

    def __str__(self) -> str:
        return f"album {self.pk}"


class AlbumPhoto(models.Model):
    """One photo in one album; both have the same owner."""

    album = models.ForeignKey(Album, on_delete=models.CASCADE, related_name="album_photos")
    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="album_photos")
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("album", "photo"), name="photo_once_an_album"),
        )

    def __str__(self) -> str:
        return f"photo {self.photo_id} in album {self.album_id}"


class PhotoFolder(models.Model):
    """The names of the folders that a photo came in, such as `Travels/Italy 2019`.

    Only ever searched and shown; originals are stored under their hash.
    """

    photo = models.OneToOneField(Photo, on_delete=models.CASCADE, related_name="folder")
    path = models.CharField(max_length=MAX_FOLDER_LENGTH)

    def __str__(self) -> str:
        return f"folder of photo {self.photo_id}"
