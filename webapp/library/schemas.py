"""Photos as the API shows and takes them."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from django.urls import reverse
from ninja import Schema
from pydantic import Field, StringConstraints

from webapp.library.models import Photo
from webapp.library.services.thumbnails import SIZES
from webapp.schemas import Body, Text
from webapp.teach.models import PhotoTag
from webapp.teach.seen_tags import MAX_TAG_LENGTH
from webapp.teach.words import alternative_text, caption_of, model_captions, tags_of, text_in

MAX_HASHES = 1000
MAX_TAGS_AT_ONCE = 50
MAX_FAILURES = 100

State = Literal["waiting", "ready", "failed"]
Size = Literal["small", "large"]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
TagName = Annotated[Text, Field(min_length=1, max_length=MAX_TAG_LENGTH)]


class TagOnPhoto(Schema):
    name: str
    source: Literal["model", "person", "taught"] = Field(
        description="Who says so; `taught` is what you taught from examples."
    )
    probability: float


class PhotoOut(Schema):
    id: int
    sha256: str
    file_name: str
    media_type: str
    size_bytes: int
    width: int = Field(description="Pixels, upright.")
    height: int = Field(description="Pixels, upright.")
    taken_at: datetime | None = Field(
        description="As the camera's clock showed it, written as if it were UTC."
    )
    uploaded_at: datetime
    trashed_at: datetime | None
    camera: str
    lens: str
    latitude: float | None
    longitude: float | None
    town: str = Field(description="Where that is, looked up offline; empty if unknown.")
    region: str
    country: str
    is_favourite: bool
    caption: str = Field(
        description="A person's, else the model's in your language, else in English, else empty."
    )
    caption_source: Literal["model", "person"] | None
    caption_language: str | None = Field(description="Null where a person wrote it.")
    caption_confidence: float | None = Field(description="0 to 1; null where a person wrote it.")
    captions: dict[str, str] = Field(
        description="The model's by language, as far as it is sure enough of them."
    )
    alt: str = Field(description="The photo in words for those who cannot see it; never empty.")
    tags: list[TagOnPhoto] = Field(
        description="Likeliest first, but after the others those that others imply (dog, animal)."
    )
    text: str = Field(description="Text that was read in the photo, a line each; often empty.")
    state: State
    error: str = Field(description="Why the photo was set aside; empty unless it was.")
    original: str = Field(description="Address of the original.")
    thumbnails: dict[Size, str] = Field(description="Addresses of the thumbnails, WebP.")

    @classmethod
    def of(cls, photo: Photo) -> Self:
        """`photo` comes from a queryset that went through `with_words` with `read`."""
        caption = caption_of(photo)
        return cls(
            **{name: getattr(photo, name) for name in _AS_THEY_ARE},
            caption=caption.text if caption else "",
            caption_source=caption.source if caption else None,
            caption_language=caption.language or None if caption else None,
            caption_confidence=caption.confidence if caption else None,
            captions=model_captions(photo),
            alt=alternative_text(photo).text,
            text=text_in(photo),
            tags=[_tag(photo_tag) for photo_tag in tags_of(photo)],
            original=reverse("api:original", args=[photo.pk]),
            thumbnails={size: _thumbnail_address(photo, size) for size in SIZES},  # type: ignore[misc]
        )


_AS_THEY_ARE = (
    *("id", "sha256", "file_name", "media_type", "size_bytes", "width", "height", "taken_at"),
    *("uploaded_at", "trashed_at", "camera", "lens", "latitude", "longitude", "is_favourite"),
    *("town", "region", "country"),
    *("state", "error"),
)


class PhotoPage(Schema):
    photos: list[PhotoOut]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page.")


class PhotoChange(Body):
    """What to change; what is left out stays as it is."""

    is_favourite: bool = False
    caption: Annotated[Text, Field(max_length=500)] = Field(
        "", description="Your words; empty gives the model's caption back."
    )
    add_tags: list[TagName] = Field([], max_length=MAX_TAGS_AT_ONCE)
    remove_tags: list[TagName] = Field([], max_length=MAX_TAGS_AT_ONCE)


class Hashes(Body):
    sha256: list[Sha256] = Field(max_length=MAX_HASHES)


class KnownPhotos(Schema):
    known: dict[str, int] = Field(description="Photo ids by SHA-256, of those that are here.")


class AddedPhoto(Schema):
    outcome: Literal["new", "known", "restored"]
    photo: PhotoOut


class Failed(Schema):
    photo_id: int
    file_name: str
    error: str = Field(description="Why the photo was set aside.")

    @classmethod
    def of(cls, photo: Photo) -> Self:
        return cls(photo_id=photo.pk, file_name=photo.file_name, error=photo.error)


class Jobs(Schema):
    waiting: int = Field(description="Photos that wait for a worker.")
    looking: int = Field(description="Photos that a worker holds now.")
    ready: int
    failed: int = Field(description="Photos that were set aside.")
    unread: int = Field(description="Photos in which text is still to be read.")
    seconds_left: float | None = Field(description="At the present pace; null when unknown.")
    failures: list[Failed] = Field(description="The latest that were set aside, at most 100.")


def utc(moment: datetime | None) -> datetime | None:
    """A moment without an offset is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _tag(photo_tag: PhotoTag) -> TagOnPhoto:
    return TagOnPhoto(
        name=photo_tag.tag.name,
        source=photo_tag.source,  # type: ignore[arg-type]
        probability=photo_tag.probability,
    )


def _thumbnail_address(photo: Photo, size: str) -> str:
    return f"{reverse('api:thumbnail', args=[photo.pk, size])}?v={photo.sha256[:12]}"
