"""Tags, what people said, and model versions over the API."""

from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from ninja import Field, Query, Router, Schema

from webapp.accounts.http import SignedInRequest
from webapp.library.cursors import read_signed, signed
from webapp.schemas import MAX_ID, SaidOut, Text, fails
from webapp.teach.corrections import saying
from webapp.teach.models import Correction, ModelVersion
from webapp.teach.seen_tags import MAX_TAG_LENGTH
from webapp.teach.services import active_version, tag_counts

router = Router()

_SALT = "marea.corrections"


class TagFilter(Schema):
    start: Text = Field("", max_length=MAX_TAG_LENGTH, description="Tags that begin like this.")
    limit: int = Field(200, ge=1, le=1000)


class TagCount(Schema):
    name: str
    photos: int = Field(description="Your photos in the library that carry it.")


class Tags(Schema):
    tags: list[TagCount]


class Version(Schema):
    name: str
    is_active: bool
    created_at: datetime
    activated_at: datetime | None
    digest: str = Field(
        description="SHA-256 of its manifest, which names that of each file; empty: never verified."
    )
    parent: str | None = Field(description="The version whose parts it was trained from.")
    is_ready: bool = Field(description="Whether a switch to it is a matter of a second.")
    metrics: dict[str, Any] = Field(description="As its model card states them.")

    @staticmethod
    def resolve_parent(version: ModelVersion) -> str | None:
        bases = [run.base.name for run in version.runs.all() if run.base]
        return bases[0] if bases else None


class Versions(Schema):
    models: list[Version]


@router.get("tags", response={200: Tags, **fails()}, tags=["tags"], url_name="tags")
def list_tags(request: SignedInRequest, wanted: Query[TagFilter]) -> Tags:
    """The tags of your photos, most used first."""
    counts = tag_counts(request.user, start=wanted.start, limit=wanted.limit)
    return Tags(tags=[TagCount(name=name, photos=photos) for name, photos in counts])


class CorrectionFilter(Schema):
    photo: int | None = Field(None, ge=1, le=MAX_ID, description="About this photo only.")
    cursor: Text = Field("", max_length=500, description="`next_cursor` of the page before.")
    limit: int = Field(100, ge=1, le=500)


class CorrectionOut(Schema):
    id: int
    photo_id: int
    by: str = Field(description="Who said it.")
    kind: Literal["add_tag", "confirm_tag", "reject_tag", "caption", "undo"]
    value: str = Field(description="The tag or the caption.")
    act: UUID = Field(description="The same for all that was said at once.")
    created_at: datetime
    undoes: int | None = Field(description="Of `undo`: what it takes back.")
    is_undone: bool

    @classmethod
    def of(cls, event: Correction) -> Self:
        return cls(
            id=event.pk,
            photo_id=event.photo_id,
            by=event.user.username,
            kind=event.kind,  # type: ignore[arg-type]
            value=event.value,
            act=event.act,
            created_at=event.created_at,
            undoes=event.undoes_id,
            is_undone=event.is_undone,  # type: ignore[attr-defined]  # with_undone
        )


class Corrections(Schema):
    corrections: list[CorrectionOut]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page.")


@router.get(
    "corrections", response={200: Corrections, **fails(400)}, tags=["tags"], url_name="corrections"
)
def list_corrections(request: SignedInRequest, wanted: Query[CorrectionFilter]) -> Corrections:
    """What was said about your photos, latest first. Nothing of it is ever changed or deleted."""
    events = Correction.objects.visible_to(request.user).with_undone().select_related("user")
    if wanted.photo is not None:
        events = events.filter(photo=wanted.photo)
    if wanted.cursor:
        events = events.filter(pk__lt=int(read_signed(wanted.cursor, salt=_SALT)))
    found = list(events.order_by("-pk")[: wanted.limit + 1])
    shown = found[: wanted.limit]
    more = len(found) > len(shown)
    return Corrections(
        corrections=[CorrectionOut.of(event) for event in shown],
        next_cursor=signed(shown[-1].pk, salt=_SALT) if more else None,
    )


@router.post(
    "corrections/{uuid:act}/undo", response={200: SaidOut, **fails(404, 409)}, tags=["tags"]
)
def undo_act(request: SignedInRequest, act: UUID) -> SaidOut:
    """Take back all that was said in one act, on however many photos."""
    return SaidOut.of(saying.undo(request.user, act))


@router.get("models", response={200: Versions, **fails()}, tags=["models"], url_name="models")
def list_models(request: SignedInRequest) -> dict[str, Any]:
    """The model versions that can look at photos; the active one looks and searches.

    Putting one to work or going back is for an administrator in the browser, or on the machine: a
    token that a program keeps must not change what everybody finds.
    """
    active_version()  # registers the shipped one on first use
    versions = ModelVersion.objects.prefetch_related("runs__base")
    return {"models": versions.order_by("-created_at", "-pk")}
