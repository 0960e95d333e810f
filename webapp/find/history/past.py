"""The search history as its owner reads it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import overload

from django.db.models import Count, Max, Prefetch, QuerySet

from webapp.accounts.models import User
from webapp.find.history.models import SearchDeed, SearchEvent
from webapp.find.history.wishes import Wish
from webapp.library.models import Photo
from webapp.library.tiles import thumbnail_url
from webapp.teach.words import Words, alternative_text, with_words

SHOWN = 12  # photos of one query
MARKS = 200


@dataclass(frozen=True)
class Followed:
    """A photo and what its owner did with it after the search."""

    photo_id: int
    thumbnail: str
    alt: Words  # what it shows
    labels: tuple[str, ...]  # what was done last comes first

    @property
    def label(self) -> str:
        return ", ".join(self.labels)


@dataclass(frozen=True)
class PastQuery:
    """One query, however often it was asked."""

    key: str
    wish: Wish
    times: int
    last_at: datetime
    results: int
    followed: Sequence[Followed]


class PastQueries(Sequence[PastQuery]):
    """The queries of a person, last asked first; read a page at a time, in as many SQL queries
    however many they are."""

    def __init__(self, user: User) -> None:
        self._user = user
        events = SearchEvent.objects.visible_to(user).first_pages()
        self._asked = events.values("key").annotate(
            times=Count("pk"), newest=Max("pk"), last_at=Max("created_at")
        )

    def __len__(self) -> int:
        return self._asked.count()

    @overload
    def __getitem__(self, place: int) -> PastQuery: ...
    @overload
    def __getitem__(self, place: slice) -> list[PastQuery]: ...
    def __getitem__(self, place: int | slice) -> PastQuery | list[PastQuery]:
        if isinstance(place, int):
            return self[place : place + 1][0]
        return list(self._read(place))

    def _read(self, place: slice) -> Iterator[PastQuery]:
        asked = list(self._asked.order_by("-newest")[place])
        newest = SearchEvent.objects.visible_to(self._user).in_bulk(
            [row["newest"] for row in asked]
        )
        deeds = SearchDeed.objects.visible_to(self._user).exclude(kind=SearchDeed.Kind.NOT_THIS)
        keys = [row["key"] for row in asked]
        followed = _followed(_with_photos(deeds.filter(key__in=keys), self._user))
        for row in asked:
            event = newest[row["newest"]]
            yield PastQuery(
                key=row["key"],
                wish=Wish(event.text, event.examples),
                times=row["times"],
                last_at=row["last_at"],
                results=event.confident,
                followed=followed.get(row["key"], []),
            )


@dataclass(frozen=True)
class Mark:
    """A photo that is not what a query means, as a person said."""

    key: str
    wish: Wish
    photo: Followed


def marks(user: User) -> list[Mark]:
    """The last `MARKS` of them. They stay however old they are, so they are listed apart."""
    deeds = _with_photos(SearchDeed.objects.visible_to(user).marks(), user).order_by("-pk")
    return [
        Mark(deed.key, Wish(deed.text, deed.examples), _as_followed(deed)) for deed in deeds[:MARKS]
    ]


def past_queries(user: User) -> PastQueries:
    return PastQueries(user)


def _with_photos(deeds: QuerySet[SearchDeed], user: User) -> QuerySet[SearchDeed]:
    """With what their photos show, as `user` reads it."""
    return deeds.prefetch_related(Prefetch("photo", with_words(Photo.objects.all(), user)))


def _followed(deeds: QuerySet[SearchDeed]) -> dict[str, list[Followed]]:
    """By query, each photo once with all that was done with it, latest first."""
    by_key: dict[str, dict[int, Followed]] = {}
    for deed in deeds.order_by("-pk"):
        seen, photo = by_key.setdefault(deed.key, {}), _as_followed(deed)
        if before := seen.get(photo.photo_id):
            labels = dict.fromkeys(before.labels + photo.labels)
            seen[photo.photo_id] = replace(before, labels=tuple(labels))
        elif len(seen) < SHOWN:
            seen[photo.photo_id] = photo
    return {key: list(seen.values()) for key, seen in by_key.items()}


def _as_followed(deed: SearchDeed) -> Followed:
    is_ready = deed.photo.state == Photo.State.READY
    return Followed(
        photo_id=deed.photo_id,
        thumbnail=thumbnail_url(deed.photo, "small") if is_ready else "",
        alt=alternative_text(deed.photo),
        labels=(deed.get_kind_display(),),
    )
