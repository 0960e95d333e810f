"""What differs between two versions, for people: figures in words, photos, searches.

Photos and searches are one person's own. Nobody sees another's, an administrator neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from webapp.accounts.models import User
from webapp.find.history.events import past_searches
from webapp.find.services import suggestions
from webapp.library.models import Photo
from webapp.teach.judging.bootstrap import FEWEST
from webapp.teach.judging.measures import overlap
from webapp.teach.judging.seen import SeenBy, seen_by
from webapp.teach.models import ModelVersion, Sight
from webapp.teach.switching.models import Verdict
from webapp.teach.words import with_words

MOST_PHOTOS = 1_000  # of one's own, the newest that both versions have looked at
SHOWN_PHOTOS = 24
SEARCHES = 12
SHOWN_SEARCHES = 6
TOP = 6


@dataclass(frozen=True)
class Line:
    """One measure, in words before numbers."""

    title: str
    says: str
    verdict: str  # "better", "worse", "no clear difference"
    old: float
    new: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Differing:
    """A photo about which two versions say different things."""

    photo: Photo
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    old_caption: str
    new_caption: str


@dataclass(frozen=True)
class Search:
    """A query whose first results differ."""

    text: str
    old: tuple[Photo, ...]
    new: tuple[Photo, ...]
    changed: int  # of the first `TOP`


def lines(verdict: Verdict) -> list[Line]:
    """The figures of a verdict, as a table shows them."""
    return [
        Line(
            title=each["title"],
            says=each["says"],
            verdict=_verdict(each),
            old=100 * each["old"],
            new=100 * each["new"],
            low=100 * each["low"],
            high=100 * each["high"],
            n=each["n"],
        )
        for each in verdict.measures
    ]


def _verdict(measure: dict[str, Any]) -> str:
    if measure["n"] < FEWEST:
        return "too few photos to tell"
    if measure["low"] > 0:
        return "better"
    if measure["is_worse"]:
        return "worse"
    if measure["high"] < 0:
        return "somewhat worse, within what is allowed"
    return "no clear difference"


def in_short(verdict: Verdict) -> list[str]:
    """A verdict as sentences, without its figures."""
    names = f"{verdict.version.name} beside {verdict.against.name}"
    said = f"{names}, on {verdict.photos:,} photos held out: {verdict.get_outcome_display()}."
    return [said, *verdict.reasons]


def in_words(verdict: Verdict) -> list[str]:
    """A verdict as sentences, with its figures."""
    said = in_short(verdict)
    for line in lines(verdict):
        said.append(
            f"{line.title}: {line.verdict} ({line.old:.0f} % before, {line.new:.0f} % now; the "
            f"difference lies between {line.low:+.0f} and {line.high:+.0f} points, {line.n:,} "
            f"photos; {line.says} decide{'s' if line.says != 'people' else ''} what is right)."
        )
    return said


def seen_by_both(user: User, old: ModelVersion, new: ModelVersion) -> tuple[SeenBy, SeenBy]:
    """The user's newest photos that both versions have looked at."""
    of_new = Sight.objects.filter(version=new).values("photo")
    mine = Photo.objects.visible_to(user).searchable().filter(pk__in=of_new, sights__version=old)
    photo_ids = list(mine.order_by("-pk").values_list("pk", flat=True)[:MOST_PHOTOS])
    return seen_by(old, photo_ids), seen_by(new, photo_ids)


def differing(user: User, old: SeenBy, new: SeenBy) -> list[Differing]:
    """The photos about which the two say the most different things."""
    scores = [(_distance(old, new, row), row) for row in range(len(old))]
    chosen = [row for score, row in sorted(scores, reverse=True)[:SHOWN_PHOTOS] if score > 0]
    photos = _photos(user, [old.photo_ids[row] for row in chosen])
    return [
        Differing(
            photo=photos[old.photo_ids[row]],
            gained=tuple(sorted(new.named[row] - old.named[row])),
            lost=tuple(sorted(old.named[row] - new.named[row])),
            old_caption=old.captions[row],
            new_caption=new.captions[row],
        )
        for row in chosen
        if old.photo_ids[row] in photos
    ]


def _distance(old: SeenBy, new: SeenBy, row: int) -> float:
    """0 where both say the same of a photo, 2 where nothing is common."""
    alike = overlap(old.named[row], new.named[row]) + overlap(old.words[row], new.words[row])
    return 2.0 - alike


def searches(user: User, old: SeenBy, new: SeenBy) -> list[Search]:
    """The user's own searches, or their commonest tags, whose nearest photos differ most."""
    if len(old) <= TOP:
        return []
    texts = list(dict.fromkeys([*past_searches(user, "", SEARCHES), *suggestions(user, SEARCHES)]))
    texts = texts[:SEARCHES]
    before, after = (_nearest(each, texts) for each in (old, new))
    photos = _photos(user, {pk for each in (*before, *after) for pk in each})
    found = [
        Search(
            text,
            tuple(photos[pk] for pk in one if pk in photos),
            tuple(photos[pk] for pk in other if pk in photos),
            len(set(other) - set(one)),
        )
        for text, one, other in zip(texts, before, after, strict=True)
    ]
    changed = [search for search in found if search.changed]
    return sorted(changed, key=lambda search: -search.changed)[:SHOWN_SEARCHES]


def _nearest(seen: SeenBy, texts: Sequence[str]) -> list[list[int]]:
    scores = seen.queries(texts) @ seen.embeddings.T
    order = np.argsort(-scores, axis=1, kind="stable")[:, :TOP]
    return [[seen.photo_ids[row] for row in rows] for rows in order]


def _photos(user: User, photo_ids: "Sequence[int] | set[int]") -> dict[int, Photo]:
    return with_words(Photo.objects.visible_to(user), user).in_bulk(list(photo_ids))
