"""Cursors: where a page of photos ended, handed out signed so that only ours come back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.core.signing import BadSignature, Signer

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
        shown_at, photo_id = read_signed(text, salt=_SALT)
        return cls(datetime.fromisoformat(shown_at), photo_id)

    def __str__(self) -> str:
        return signed([self.shown_at.isoformat(), self.photo_id], salt=_SALT)

    def older(self, photos: PhotoQuerySet) -> PhotoQuerySet:
        """Those of `photos` that come after this place."""
        # Two conditions that an index on (owner, shown_at, id) can follow; an OR could not.
        from_here = photos.filter(shown_at__lte=self.shown_at)
        return from_here.exclude(shown_at=self.shown_at, pk__gte=self.photo_id)


def page_of(photos: PhotoQuerySet, cursor: str, *, limit: int) -> tuple[list[Photo], str | None]:
    """Up to `limit` photos, newest first, and the cursor of the next page if there is one."""
    photos = photos.newest_first()
    if cursor:
        photos = Cursor.parse(cursor).older(photos)
    found = list(photos[: limit + 1])
    if len(found) <= limit:
        return found, None
    return found[:limit], str(Cursor.after(found[limit - 1]))


def signed(value: Any, *, salt: str) -> str:
    return Signer(salt=salt).sign_object(value)


def read_signed(text: str, *, salt: str) -> Any:
    """What `signed` was given. Raises `UserError` (400) for what this server has not signed."""
    try:
        return Signer(salt=salt).unsign_object(text)
    except (BadSignature, ValueError) as error:
        raise UserError(
            "This cursor is not one of ours. Start again without a cursor.",
            code="bad_cursor",
            field="cursor",
        ) from error
