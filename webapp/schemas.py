"""Kinds of values that several parts of the API take, and the shape of every failure."""

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Self
from uuid import UUID

from ninja import Schema
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

if TYPE_CHECKING:
    from webapp.teach.corrections.saying import Said

MAX_ID = (1 << 63) - 1  # what both databases can hold
MAX_IDS = 10_000


def _storable(text: str) -> str:
    """No database stores half a surrogate pair (JSON can carry one), nor PostgreSQL a NUL."""
    if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text):
        raise ValueError("there is a character that no text can contain")
    return text


def _written(moment: Any) -> Any:
    """A bare number could be seconds or milliseconds, so it is neither."""
    if isinstance(moment, str) and re.fullmatch(r"\s*[-+]?[\d.]+\s*", moment):
        raise ValueError("write a time like 2026-11-24T12:00:00Z")
    return moment


Time = Annotated[datetime, BeforeValidator(_written)]
Text = Annotated[str, AfterValidator(_storable)]
Id = Annotated[int, Field(ge=1, le=MAX_ID)]


class Body(BaseModel):
    """What a request sends as JSON: an object with these fields, of exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Error(Schema):
    code: str = Field(description="For programs; stays the same.")
    message: str = Field(description="For people: what happened and what to do.")
    field: str | None = Field(None, description="The field at fault, where it is one.")


class Failure(Schema):
    error: Error


class PhotoIds(Body):
    ids: list[Id] = Field(
        max_length=MAX_IDS, description="Photos; those that are not yours are left out."
    )


class Changed(Schema):
    changed: int = Field(description="How many photos this changed.")


class SaidOut(Changed):
    act: UUID | None = Field(
        description="By which `corrections/{act}/undo` takes it back; null where nothing was said."
    )

    @classmethod
    def of(cls, said: "Said") -> Self:
        return cls(changed=said.photos, act=said.act if said.photos else None)


def fails(*statuses: int) -> dict[int, Any]:
    """Failures of an operation, for its documentation; 401, 403 and 422 go without saying."""
    return dict.fromkeys((401, 403, 422, *statuses), Failure)


def sends(what: str, *media_types: str) -> dict[str, Any]:
    """A file as the answer of an operation, for its documentation."""
    file = {"schema": {"type": "string", "format": "binary"}}
    answer = {"description": what, "content": dict.fromkeys(media_types, file)}
    return {"responses": {200: answer}}
