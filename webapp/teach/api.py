"""Tags and model versions over the API."""

from datetime import datetime
from typing import Any

from ninja import Field, Query, Router, Schema

from webapp.accounts.http import SignedInRequest
from webapp.schemas import Text, fails
from webapp.teach.models import ModelVersion
from webapp.teach.services import MAX_TAG_LENGTH, active_version, tag_counts

router = Router()


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
    metrics: dict[str, Any] = Field(description="As its model card states them.")


class Versions(Schema):
    models: list[Version]


@router.get("tags", response={200: Tags, **fails()}, tags=["tags"], url_name="tags")
def list_tags(request: SignedInRequest, wanted: Query[TagFilter]) -> Tags:
    """The tags of your photos, most used first."""
    counts = tag_counts(request.user, start=wanted.start, limit=wanted.limit)
    return Tags(tags=[TagCount(name=name, photos=photos) for name, photos in counts])


@router.get("models", response={200: Versions, **fails()}, tags=["models"], url_name="models")
def list_models(request: SignedInRequest) -> dict[str, Any]:
    """The model versions that can look at photos; the active one looks and searches."""
    active_version()  # registers the shipped one on first use
    return {"models": ModelVersion.objects.order_by("-created_at", "-pk")}
