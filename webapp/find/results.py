"""What a search finds: photos with their reasons, a page at a time, as far as the cut-off."""

from collections.abc import Sequence
from dataclasses import dataclass

from search import cutoff
from search.query import Query
from search.rank import Hit
from search.words import content_words
from webapp.accounts.models import User
from webapp.find.history.memory import UNKNOWN, Memory
from webapp.library.models import Photo, PhotoQuerySet
from webapp.stacks.folding import counted
from webapp.teach.words import with_words

PAGE = 60
NEAREST = 12  # that are shown, as less likely, where no photo surely shows what is asked for
DESCRIPTION = 3  # content words that describe a photo, which others fit in part


@dataclass(frozen=True)
class Found:
    """A photo among the results, with the probability that it was meant and why it is here."""

    photo: Photo
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class SearchPage:
    """One page of results.

    `confident` of all `total` results come before the cut-off; `next_offset` is where the next
    page begins, None after the last; `hidden` are behind “show more anyway”. Where none is
    confident, the nearest are found all the same, and are to be shown as less likely.
    """

    query: Query
    found: list[Found]
    confident: int
    total: int
    hidden: int
    next_offset: int | None
    hits: Sequence[Hit] = ()
    ranker: str = ""
    memory: Memory = UNKNOWN

    @property
    def is_description(self) -> bool:
        """Whether the query says so much that the nearest photos are an answer, if no sure one."""
        return len(content_words(self.query.text)) >= DESCRIPTION


def before_the_cutoff(hits: list[Hit], *, show_more: bool) -> list[Hit]:
    """What is shown: where no photo surely shows what is asked for, the nearest."""
    return hits if show_more else hits[: cutoff.confident(hits) or NEAREST]


def found_with_photos(user: User, visible: PhotoQuerySet, hits: Sequence[Hit]) -> list[Found]:
    """Hits with their photos. One that vanished since the index was asked is left out."""
    ids = [hit.photo_id for hit in hits]
    photos = counted(with_words(visible.filter(pk__in=ids), user), user).in_bulk()
    return [
        Found(photos[hit.photo_id], hit.score, hit.reasons)
        for hit in hits
        if hit.photo_id in photos
    ]


def next_offset(offset: int, limit: int, total: int) -> int | None:
    """Where the next page begins; None after the last."""
    return offset + limit if offset + limit < total else None
