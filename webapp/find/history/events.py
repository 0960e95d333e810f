"""What people searched for and what they did then: written to the database and nowhere else.

Its owner can read it, switch it off and erase it; while it is off nothing is written. Ranking
learns from it (`webapp.find.ranker.learning`), the search box offers it (`past_searches`).
"""

import logging
from collections.abc import Iterable

from django.db import DatabaseError, models, transaction
from django.db.models import Max

from webapp.accounts.models import User
from webapp.errors import Conflict
from webapp.find.history.memory import keeps_history, key_of, key_of_wish
from webapp.find.history.models import MAX_TEXT, SearchChoice, SearchDeed, SearchEvent
from webapp.find.history.wishes import Wish
from webapp.find.index import engine
from webapp.find.query.understanding import understand
from webapp.find.ranker.shown import shown_rows
from webapp.find.results import SearchPage
from webapp.library.models import Photo
from webapp.texts import one_line

logger = logging.getLogger(__name__)

MAX_DEEDS = 200  # of one action on many photos

Kind = SearchDeed.Kind


def note_search(
    user: User, text: str, page: SearchPage, *, offset: int = 0, examples: str = ""
) -> None:
    """Remember a page of results as it is shown: one INSERT. A search that cannot be written
    down is answered all the same."""
    is_search = page.query or examples
    if not page.memory.is_kept or not is_search or (offset and not page.found):
        return
    names, rows = shown_rows(page)
    event = SearchEvent(
        user=user,
        text=one_line(text)[:MAX_TEXT],
        examples=examples,
        key=key_of(page.query, examples),
        version=engine.version_in_use() if page.query.text or examples else "",
        ranker=page.ranker,
        offset=offset,
        confident=page.confident,
        total=page.total,
        names=names,
        shown=rows,
    )
    _write(event)


def note_opened(user: User, wish: Wish, photo_id: int, *, is_result: bool) -> bool:
    """Remember that `user` opened a photo of their own from the results for `wish`, if it was so.
    Returns whether anything may be remembered."""
    is_kept = keeps_history(user)
    if is_kept and is_result:
        key = key_of_wish(user, wish)
        _write(*_deeds(user, wish, key, [photo_id], Kind.OPENED))
    return is_kept


def note_deeds(user: User, wish: Wish, photo_ids: Iterable[int], kind: Kind) -> None:
    """Remember that `user` did this with photos that a search for `wish` had led to."""
    query = understand(user, wish.text)
    if not (query or wish.examples) or not keeps_history(user):
        return
    mine = Photo.objects.visible_to(user).filter(pk__in=list(photo_ids)[:MAX_DEEDS])
    key = key_of(query, wish.examples)
    _write(*_deeds(user, wish, key, mine.values_list("pk", flat=True), kind))


@transaction.atomic
def mark_not_this(user: User, wish: Wish, photo_ids: Iterable[int]) -> int:
    """`user` says that these photos are not what `wish` means: for it they come last from now on.

    Returns how many photos. Raises `Conflict` while nothing may be remembered.
    """
    if not keeps_history(user):
        raise Conflict(
            "Marea remembers no searches of yours, so it cannot remember this either. "
            "Switch the search history on in your account. Nothing was changed.",
            code="history_off",
        )
    mine = list(
        Photo.objects.visible_to(user).filter(pk__in=photo_ids).values_list("pk", flat=True)
    )
    deeds = _deeds(user, wish, key_of_wish(user, wish), mine, Kind.NOT_THIS)
    SearchDeed.objects.bulk_create(deeds, ignore_conflicts=True)
    return len(mine)


def take_back(user: User, key: str, photo_ids: Iterable[int]) -> int:
    """Undo `mark_not_this` for the query with this `key`. Returns how many marks are gone."""
    marks = SearchDeed.objects.visible_to(user).marks().filter(key=key, photo__in=list(photo_ids))
    return marks.delete()[0]


def past_searches(user: User, prefix: str, count: int) -> list[str]:
    """Searches of `user` that begin with `prefix` and found something, the last ones first."""
    events = SearchEvent.objects.visible_to(user).offered()
    if start := prefix.lstrip():
        events = events.filter(text__istartswith=start[:MAX_TEXT])
    found = events.values_list("text").annotate(last=Max("pk")).order_by("-last")
    by_folded: dict[str, str] = {}
    for text, _ in found[: 3 * count]:
        by_folded.setdefault(text.casefold(), text)
    return list(by_folded.values())[:count]


def choose_history(user: User, is_kept: bool) -> None:
    """Switch remembering on or off. What is there already stays until it is erased."""
    SearchChoice.objects.update_or_create(user=user, defaults={"keeps_history": is_kept})


@transaction.atomic
def erase(user: User, key: str = "") -> int:
    """Erase all of the history, or all about one query. Returns how many rows are gone."""
    events = SearchEvent.objects.visible_to(user)
    deeds = SearchDeed.objects.visible_to(user)
    if key:
        events, deeds = events.filter(key=key), deeds.filter(key=key)
    return deeds.delete()[0] + events.delete()[0]


def forget_expired() -> int:
    """Erase what is older than `MAREA_HISTORY_DAYS`. Returns how many searches are gone."""
    SearchDeed.objects.expired().delete()
    return SearchEvent.objects.expired().delete()[0]


def _deeds(
    user: User, wish: Wish, key: str, photo_ids: Iterable[int], kind: Kind
) -> list[SearchDeed]:
    text = one_line(wish.text)[:MAX_TEXT]
    return [
        SearchDeed(
            user=user, photo_id=photo_id, text=text, examples=wish.examples, key=key, kind=kind
        )
        for photo_id in photo_ids
    ]


def _write(*rows: models.Model) -> None:
    """Insert rows of one model; a full disk or a locked database costs these rows only."""
    if not rows:
        return
    try:
        type(rows[0])._default_manager.bulk_create(rows)
    except DatabaseError as error:
        logger.warning("history_unwritten rows=%d error=%s", len(rows), type(error).__name__)
