"""Teaching the ranker from what people did with results, and putting it to work if it is better.

One ranker serves an installation. It sees scores and facts such as “a favourite”, never a query, a
photo or a person. Who switched their history off teaches nothing.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import numpy as np
from django.db.models import Max
from django.utils import timezone

from search.ranker import files
from search.ranker.features import FUSED, aligned
from search.ranker.judging import Scorer, Verdict
from search.ranker.learning import learn
from search.ranker.log import Log, Shown
from search.ranker.network import fused
from webapp.find.history.models import SearchDeed, SearchEvent
from webapp.find.ranker.at_work import folder, ranker_at_work

logger = logging.getLogger(__name__)

SESSION = timedelta(minutes=30)  # asked again within it, a query is the same search
FOLLOWS = timedelta(hours=12)  # what is done later has another reason
GAINS = {
    SearchDeed.Kind.OPENED: 1.0,
    SearchDeed.Kind.FAVOURITED: 2.0,
    SearchDeed.Kind.CORRECTED: 2.0,
}
GROWTH = 0.1  # of the deeds must be new before learning is tried again
MAX_EVENTS = 5_000  # the newest; so many fill 25 MB
LONGEST = 100  # photos of one list; further down hardly anybody looks


@dataclass(frozen=True)
class Attempt:
    """What came of a training. `promoted` is the name of the ranker that was put to work."""

    lists: int
    telling: int
    verdict: Verdict | None = None
    promoted: str = ""
    is_new: bool = True

    def as_json(self) -> dict[str, Any]:
        told = {"lists": self.lists, "telling": self.telling, "promoted": self.promoted}
        return told | {"verdict": self.verdict.as_json() if self.verdict else None}


def learn_ranking(*, even_if_known: bool = True) -> Attempt:
    """Learn from the log; promote what is learned only if it beats the present order on queries
    that it has not learned from. With `even_if_known=False` a log that has hardly grown since the
    last time is left alone."""
    newest, telling = _newest_deeds(files.read_attempt(folder()).get("newest_deed", 0))
    if not even_if_known and not telling:
        return Attempt(0, 0, is_new=False)
    attempt = attempt_on(logged())
    told = {"newest_deed": newest, "at": timezone.now().isoformat(), **attempt.as_json()}
    files.write_attempt(folder(), told)
    logger.info(
        "ranking_learned lists=%d telling=%d promoted=%s",
        attempt.lists,
        attempt.telling,
        attempt.promoted or "none",
    )
    return attempt


def told(attempt: Attempt) -> str:
    """What came of it, in a sentence or two."""
    seen = f"{attempt.telling:,} of {attempt.lists:,} lists of results say what people wanted"
    if attempt.verdict is None:
        return f"{seen}: too few to learn from. Results stay in the order they have."
    verdict = attempt.verdict
    compared = (
        f"{seen}. On {verdict.queries:,} queries that it had not seen, the mean reciprocal rank "
        f"is {verdict.candidate:.3f} instead of {verdict.current:.3f} (gain between "
        f"{verdict.low:+.3f} and {verdict.high:+.3f})."
    )
    if attempt.promoted:
        return f"{compared} Ranker {attempt.promoted} is at work."
    return f"{compared} That is no sure gain; results stay in the order they have."


def undone() -> str:
    name = files.roll_back(folder())
    if name is None:
        return "No ranker is at work, so there is nothing to undo."
    return f"Ranker {name} is at work again." if name else "Results are ordered without a ranker."


def attempt_on(log: Log) -> Attempt:
    telling = sum(each.tells for each in log.lists)
    learned = learn(log, current=_present())
    if learned is None:
        return Attempt(len(log.lists), telling)
    verdict, promoted = learned.verdict, ""
    if verdict.is_better:
        promoted = files.promote(folder(), learned.network, verdict.as_json())
    return Attempt(len(log.lists), telling, verdict, promoted)


def logged() -> Log:
    """What is in the database, as lists with the same features."""
    newest = _teaching().order_by("-pk")[:MAX_EVENTS]
    events = [_compact(event) for event in newest.iterator(chunk_size=200)]
    names = tuple(sorted({FUSED, *(name for event in events for name in event.names)}))
    events.sort(key=lambda event: (event.user_id, event.key, event.pk))
    deeds = _deeds()
    lists: list[Shown] = []
    for key, asked in groupby(events, key=lambda event: (event.user_id, event.key)):
        done = deeds.get(key, [])
        for search, until in _searches(list(asked)):
            lists += _lists(search, until, done, names)
    return Log(names, lists)


def _present() -> Scorer:
    """The order that people see now."""
    ranker = ranker_at_work()
    return ranker.network.score if ranker else fused


def _teaching() -> Any:
    on = SearchEvent.objects.exclude(user__search_choice__keeps_history=False)
    return on.exclude(names=[])


def _deeds() -> dict[tuple[int, str], list[SearchDeed]]:
    deeds = SearchDeed.objects.exclude(user__search_choice__keeps_history=False).order_by("pk")
    found: dict[tuple[int, str], list[SearchDeed]] = {}
    for deed in deeds.iterator(chunk_size=2000):
        found.setdefault((deed.user_id, deed.key), []).append(deed)
    return found


def _searches(
    events: Sequence[SearchEvent],
) -> Iterator[tuple[list[SearchEvent], datetime]]:
    """Pages of one query that were asked for together, and until when deeds count as theirs."""
    begun = 0
    for place in range(1, len(events) + 1):
        is_last = place == len(events)
        if is_last or events[place].created_at - events[place - 1].created_at > SESSION:
            end = events[place - 1].created_at + FOLLOWS
            yield list(events[begun:place]), end if is_last else min(end, events[place].created_at)
            begun = place


def _lists(
    events: Sequence[SearchEvent],
    until: datetime,
    deeds: Iterable[SearchDeed],
    names: tuple[str, ...],
) -> Iterator[Shown]:
    """The photos before the cut-off and those behind it, which are never mixed."""
    since = events[0].created_at
    marked = {d.photo_id for d in deeds if d.kind == SearchDeed.Kind.NOT_THIS}
    earlier = {d.photo_id for d in deeds if d.photo_id in marked and d.created_at < since}
    followed = [deed for deed in deeds if since <= deed.created_at < until]
    rows = {place: row for place, row in _rows(events, names) if int(row[0]) not in earlier}
    confident = events[0].confident
    for group in (range(confident), range(confident, events[0].total)):
        places = sorted(place for place in rows if place in group)
        places = places[:LONGEST]
        if len(places) > 1:
            yield _shown(events[0], places, [rows[place] for place in places], followed)


def _compact(event: SearchEvent) -> SearchEvent:
    """The event with its rows as an array, which takes an eighth of the memory."""
    width = len(event.names) + 1
    rows = [row for row in event.shown if len(row) == width]
    event.shown = np.array(rows, np.float64).reshape(len(rows), width)
    return event


def _rows(
    events: Sequence[SearchEvent], names: tuple[str, ...]
) -> Iterator[tuple[int, np.ndarray[Any, Any]]]:
    """(Place, [photo id, feature, …]); a page that was shown twice counts as it was first."""
    seen: set[int] = set()
    for event in events:
        if event.offset in seen:
            continue
        seen.add(event.offset)
        values = aligned(event.names, event.shown[:, 1:].astype(np.float32), names)
        for at, row in enumerate(np.hstack([event.shown[:, :1], values])):
            yield event.offset + at, row


def _shown(
    event: SearchEvent,
    places: Sequence[int],
    rows: Sequence[np.ndarray[Any, Any]],
    deeds: Sequence[SearchDeed],
) -> Shown:
    gains: dict[int, float] = {}
    for deed in deeds:
        gain = GAINS.get(SearchDeed.Kind(deed.kind), 0.0)
        gains[deed.photo_id] = max(gains.get(deed.photo_id, 0.0), gain)
    rejected = {deed.photo_id for deed in deeds if deed.kind == SearchDeed.Kind.NOT_THIS}
    ids = [int(row[0]) for row in rows]
    return Shown(
        query=_opaque(event),
        values=np.array([row[1:] for row in rows], np.float32),
        places=np.array(places, np.int64),
        gains=np.array([0.0 if i in rejected else gains.get(i, 0.0) for i in ids]),
        rejected=np.array([i in rejected for i in ids]),
    )


def _opaque(event: SearchEvent) -> str:
    """The same query of two people is two queries: each is held out with its own choices."""
    return hashlib.sha256(f"{event.user_id} {event.key}".encode()).hexdigest()


def _newest_deeds(known: int) -> tuple[int, bool]:
    """The newest deed, and whether so many came after `known` that another attempt is due. Each
    attempt may be lucky; so there are few, however often the clock asks."""
    newest = SearchDeed.objects.aggregate(Max("pk"))["pk__max"] or 0
    later, number = SearchDeed.objects.filter(pk__gt=known).count(), SearchDeed.objects.count()
    return newest, later >= max(1.0, GROWTH * number)
