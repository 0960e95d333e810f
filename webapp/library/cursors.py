"""Cursors: where a page of photos ended, handed out signed so that only ours come back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.core.signing import BadSignature, Signer
from django.db.models import Q

from webapp.errors import UserError
from webapp.library.models import Photo, PhotoQuerySet

_SALT = "marea.photos"


@dataclass(frozen=True)
class Cursor:
    """A place in the order of `PhotoQuerySet.newest_first`."""

    shown_at: datetime
    photo_id: int

    @classmethod
    def after(cls, photo: Photo) -> Self:
        return cls(photo.shown_at, photo.pk)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `UserError` (400) for anything but a cursor of this server."""
        try:
            shown_at, photo_id = Signer(salt=_SALT).unsign_object(text)
        except (BadSignature, ValueError) as error:
            raise UserError(
                "This cursor is not one of ours. Start again without a cursor.",
                code="bad_cursor",
                field="cursor",
            ) from error
        return cls(datetime.fromisoformat(shown_at), photo_id)

    def __str__(self) -> str:
        return Signer(salt=_SALT).sign_object([self.shown_at.isoformat(), self.photo_id])

    def older(self, photos: PhotoQuerySet) -> PhotoQuerySet:
        """Those of `photos` that come after this place."""
        same_time = Q(shown_at=self.shown_at, pk__lt=self.photo_id)
        return photos.filter(Q(shown_at__lt=self.shown_at) | same_time)


def page_of(photos: PhotoQuerySet, cursor: str, *, limit: int) -> tuple[list[Photo], str | None]:
    """Up to `limit` photos, newest first, and the cursor of the next page if there is one."""
    photos = photos.newest_first()
    if cursor:
        photos = Cursor.parse(cursor).older(photos)
    found = list(photos[: limit + 1])
    if len(found) <= limit:
        return found, None
    return found[:limit], str(Cursor.after(found[limit - 1]))
