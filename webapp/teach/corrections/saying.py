"""What people say about photos: events that stay, and the present state that follows from them.

Each act, about one photo or thousands, has an id by which it is taken back as a whole. Taking it
back leaves every photo as if it had not been said: what was said before counts again, or else what
models see.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from django.db import transaction

from webapp.accounts.models import User
from webapp.errors import Conflict, NotFound, Refused
from webapp.find.index.documents import index_photos
from webapp.library.models import ChangeCounter, Photo, PhotoQuerySet
from webapp.teach.models import Correction, PhotoTag, tagged
from webapp.teach.seen_tags import tags_named, tell_again
from webapp.teach.services import tidy_tag
from webapp.teach.taught.tagging import tell_stored
from webapp.texts import one_line

MAX_CAPTION_LENGTH = 500
BATCH = 1_000  # events in one statement; SQLite takes at most 32,766 parameters

Kind = Correction.Kind
Source = PhotoTag.Source

SOURCES = {
    Kind.ADD_TAG: Source.PERSON,
    Kind.CONFIRM_TAG: Source.PERSON,
    Kind.REJECT_TAG: Source.REJECTED,
}


@dataclass(frozen=True)
class Said:
    """What came of an act: how many photos it concerned."""

    photos: int
    act: UUID = field(default_factory=uuid4)


def add_tag(user: User, photos: PhotoQuerySet, name: str, *, act: UUID | None = None) -> Said:
    """`user` says that these photos show `name`."""
    return _say(user, photos, {tidy_tag(name): Kind.ADD_TAG}, act)


def reject_tag(user: User, photos: PhotoQuerySet, name: str, *, act: UUID | None = None) -> Said:
    """`user` says that these photos do not show `name`; no model puts it back."""
    return _say(user, photos, {tidy_tag(name): Kind.REJECT_TAG}, act)


def confirm_tag(user: User, photos: PhotoQuerySet, name: str, *, act: UUID | None = None) -> Said:
    """`user` says that `name` is right wherever it stands on these photos."""
    tag = tidy_tag(name)
    return _say(user, tagged(photos, tag), {tag: Kind.CONFIRM_TAG}, act)


def rename_tag(
    user: User, photos: PhotoQuerySet, name: str, new: str, *, act: UUID | None = None
) -> Said:
    """`user` says that what is tagged `name` on these photos is `new` instead."""
    old, tag = tidy_tag(name), tidy_tag(new)
    if old == tag:
        raise Refused(f"The tag is called “{tag}” already. Nothing was changed.", field="new")
    return _say(user, tagged(photos, old), {old: Kind.REJECT_TAG, tag: Kind.ADD_TAG}, act)


@transaction.atomic
def write_caption(user: User, photo: Photo, text: str) -> Said:
    """`user` words the caption; an empty one gives the model's back."""
    caption, said = one_line(text)[:MAX_CAPTION_LENGTH], Said(photos=1)
    Photo.objects.filter(pk=photo.pk).lock()
    Correction.objects.create(
        photo=photo, user=user, kind=Kind.CAPTION, value=caption, act=said.act
    )
    Photo.objects.filter(pk=photo.pk).update(own_caption=caption)
    photo.own_caption = caption
    index_photos([photo.pk])
    return said


@transaction.atomic
def undo(user: User, act: UUID) -> Said:
    """`user` takes back all that was said in `act`.

    Raises `NotFound` for an act that is not theirs or never was, `Conflict` when it is taken back
    already.
    """
    events = Correction.objects.visible_to(user).filter(user=user, act=act)
    events = events.exclude(kind=Kind.UNDO)
    ids = Photo.objects.filter(pk__in=events.values("photo")).lock()
    said = list(events.order_by("photo", "pk"))
    if not said:
        raise NotFound("Nothing of that kind was said, so nothing was taken back.")
    if Correction.objects.filter(undoes__act=act).exists():
        raise Conflict("This was taken back already. Nothing was changed.", code="undone")
    back = Said(photos=len(ids))
    for at in range(0, len(said), BATCH):
        _take_back(said[at : at + BATCH], back)
    ChangeCounter.next()
    return back


def _take_back(said: Sequence[Correction], back: Said) -> None:
    Correction.objects.bulk_create(
        [
            Correction(
                photo_id=event.photo_id,
                user_id=event.user_id,
                kind=Kind.UNDO,
                value=event.value,
                act=back.act,
                undoes=event,
            )
            for event in said
        ]
    )
    tags = [event for event in said if event.kind in Correction.TAGS]
    _count_again({event.photo_id for event in tags}, {event.value for event in tags})
    _caption_again([event.photo_id for event in said if event.kind == Kind.CAPTION])
    index_photos(sorted({event.photo_id for event in said}))


@transaction.atomic
def _say(user: User, photos: PhotoQuerySet, said: Mapping[str, Kind], act: UUID | None) -> Said:
    """`said` has a kind of word for each tag."""
    ids = photos.lock()
    done = Said(len(ids), act or uuid4())
    Correction.objects.bulk_create(
        [
            Correction(photo_id=pk, user=user, kind=kind, value=name, act=done.act)
            for pk in ids
            for name, kind in said.items()
        ]
    )
    _clear(ids, said)
    _hold({(pk, name): kind for pk in ids for name, kind in said.items()})
    index_photos(ids)
    ChangeCounter.next()  # what completes queries follows it
    return done


def _count_again(photo_ids: Collection[int], names: Collection[str]) -> None:
    """Of each of these tags on each of these photos, let the last word that still stands count, or
    else the models'."""
    events = Correction.objects.standing().about_tags().order_by("pk")
    events = events.filter(photo__in=photo_ids, value__in=names)
    said = events.values_list("photo_id", "value", "kind")
    last = {(photo_id, name): Kind(kind) for photo_id, name, kind in said}
    _clear(photo_ids, names)
    _hold(last)
    tell_again(photo_ids, names)
    tell_stored(photo_ids, names)


def _clear(photo_ids: Collection[int], names: Collection[str]) -> None:
    PhotoTag.objects.filter(photo__in=photo_ids, tag__name__in=names).delete()


def _hold(words: Mapping[tuple[int, str], Kind]) -> None:
    """Let these words of people count, by photo id and tag; nothing else stands there."""
    tags = tags_named({name for _, name in words})
    PhotoTag.objects.bulk_create(
        [
            PhotoTag(photo_id=photo_id, tag=tags[name], source=SOURCES[kind])
            for (photo_id, name), kind in words.items()
        ]
    )


def _caption_again(photo_ids: Sequence[int]) -> None:
    """The last caption that still stands, or none of a person's."""
    if not photo_ids:
        return
    captions = dict.fromkeys(photo_ids, "")
    events = Correction.objects.standing().filter(photo__in=photo_ids, kind=Kind.CAPTION)
    captions |= dict(events.order_by("pk").values_list("photo_id", "value"))
    photos = [Photo(pk=photo_id, own_caption=caption) for photo_id, caption in captions.items()]
    Photo.objects.bulk_update(photos, ["own_caption"])
