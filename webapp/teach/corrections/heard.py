"""What was said about a photo, as its owner reads it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Subquery

from webapp.accounts.models import User
from webapp.library.models import Photo
from webapp.teach.models import Correction
from webapp.teach.words import caption_of, found_as, tags_of

SHOWN = 30

Kind = Correction.Kind


@dataclass(frozen=True)
class Line:
    """One act as far as it is about one photo."""

    who: str
    when: datetime
    what: str
    act: UUID
    is_undone: bool
    can_undo: bool
    photos: int  # of the whole act


def shown_about(user: User, photo: Photo) -> dict[str, Any]:
    """What templates show of words about a photo. `photo` comes from `with_words`."""
    tags = tags_of(photo)
    return {
        "photo": photo,
        "tags": tags,
        "found_as": found_as(tags),
        "caption": caption_of(photo),
        "said": said_about(user, photo),
    }


def said_about(user: User, photo: Photo) -> list[Line]:
    """The last acts about the photo, newest first, in one query."""
    same = Correction.objects.filter(act=OuterRef("act")).order_by().values("act")
    photos = same.annotate(photos=Count("photo", distinct=True)).values("photos")
    events = (
        Correction.objects.visible_to(user)
        .filter(photo=photo)
        .with_undone()
        .annotate(photos=Subquery(photos))
        .select_related("user", "undoes")
        .order_by("-pk")[: 2 * SHOWN]  # renaming is two events
    )
    return list(_lines(user, list(events)))[:SHOWN]


def _lines(user: User, events: Sequence[Correction]) -> Iterator[Line]:
    for act, group in groupby(events, key=lambda event: event.act):
        said = sorted(group, key=lambda event: event.pk)
        first = said[0]
        yield Line(
            who=first.user.username,
            when=first.created_at,
            what=_what(said),
            act=act,
            is_undone=first.is_undone,  # type: ignore[attr-defined]  # with_undone
            can_undo=_can_undo(user, first),
            photos=first.photos,  # type: ignore[attr-defined]
        )


def _can_undo(user: User, event: Correction) -> bool:
    is_undone: bool = event.is_undone  # type: ignore[attr-defined]
    return not is_undone and event.kind != Kind.UNDO and event.user_id == user.pk


def _what(said: Sequence[Correction]) -> str:
    """What one act says, in words that follow a name: "ana tagged it “miso”"."""
    first, last = said[0], said[-1]
    if first.kind == Kind.UNDO:
        undone = [event.undoes for event in said if event.undoes]
        return f"took back: {_what(undone)}" if undone else "took something back"
    if first.kind == Kind.REJECT_TAG and last.kind == Kind.ADD_TAG:
        return f"renamed the tag “{first.value}” to “{last.value}”"
    if first.kind == Kind.CAPTION and not first.value:
        return "gave Marea’s own caption back"
    return _WORDS[Kind(first.kind)].format(first.value)


_WORDS = {
    Kind.ADD_TAG: "tagged it “{}”",
    Kind.CONFIRM_TAG: "confirmed the tag “{}”",
    Kind.REJECT_TAG: "said it is not “{}”",
    Kind.CAPTION: "wrote the caption “{}”",
}
