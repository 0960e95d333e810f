"""Finding photos: by what is in them, by conditions, by likeness to another photo."""

import numpy as np
from django.db import connection
from django.db.models import Max, Min

from search import cutoff, fulltext, signals
from search.explain import satisfied
from search.index import Selection
from search.query import Query
from search.rank import Hit, last, rank
from search.ranker.files import Ranker
from search.words import content_words
from webapp.accounts.models import User
from webapp.find.history.memory import UNKNOWN, Memory, remembered
from webapp.find.index import engine
from webapp.find.query.conditions import satisfying
from webapp.find.query.embedding import embed_query, generic_queries, known_words
from webapp.find.query.lexicon import lexicon_of
from webapp.find.query.saying_tags import saying_tags
from webapp.find.query.understanding import understand
from webapp.find.ranker.at_work import in_learned_order, ranker_at_work
from webapp.find.results import (
    PAGE,
    Found,
    SearchPage,
    before_the_cutoff,
    found_with_photos,
    next_offset,
)
from webapp.library.models import Photo, PhotoQuerySet
from webapp.stacks.folding import counted, fold_hits, folded
from webapp.teach.versions.serving import one_version
from webapp.teach.words import with_words

# Photos that each of embedding and words proposes; the best of them are what can be paged through.
CANDIDATES = 500


@one_version()
def find_photos(
    user: User, text: str, *, limit: int = PAGE, offset: int = 0, show_more: bool = False
) -> SearchPage:
    """The photos that `user` means by `text`, best first; those beyond the cut-off only if
    `show_more`. Any text is a query. The number of SQL queries does not depend on the results."""
    query = understand(user, text)
    visible = matching_photos(user, query)
    if not query.text:
        return _newest(user, query, visible, limit=limit, offset=offset)
    memory, ranker = remembered(user, query), ranker_at_work()
    hits = _hits(user, query, visible, memory, ranker)
    confident = cutoff.confident(hits)
    shown = before_the_cutoff(hits, show_more=show_more)
    page = shown[offset : offset + limit]
    return SearchPage(
        query=query,
        found=found_with_photos(user, visible, page),
        confident=confident,
        total=len(hits),
        hidden=len(hits) - len(shown),
        next_offset=next_offset(offset, limit, len(shown)),
        hits=hits,
        ranker=ranker.name if ranker else "",
        memory=memory,
    )


def matching_photos(user: User, query: Query) -> PhotoQuerySet:
    """The user's photos that satisfy the conditions of `query`, whatever its text."""
    return satisfying(_library(user), query.conditions)


@one_version()
def ranked_hits(user: User, query: Query, *, show_more: bool = False) -> list[Hit]:
    """What `find_photos` pages through for a query with text, best first."""
    visible, memory = matching_photos(user, query), remembered(user, query)
    hits = _hits(user, query, visible, memory, ranker_at_work())
    return before_the_cutoff(hits, show_more=show_more)


@one_version()
def similar_photos(user: User, photo: Photo, k: int = 12) -> list[Photo]:
    """The `k` photos of `user` that look most like `photo`, itself left out; one of each stack."""
    view = engine.open_view(user)
    known, vectors = view.index.vectors([photo.pk])
    if not known.size:
        return []
    _, ids = view.index.search(vectors, 2 * k, view.photos.removing([photo.pk]))
    hits = [Hit(photo_id, 1.0) for photo_id in ids[0].tolist() if photo_id >= 0]
    hits = fold_hits(user, hits)[:k]
    return [found.photo for found in found_with_photos(user, _library(user).searchable(), hits)]


def suggestions(user: User, count: int = 8) -> list[str]:
    """Queries that are sure to find something: the commonest tags of the user's newest photos."""
    return lexicon_of(user).tags.commonest(count)


def has_photos(user: User) -> bool:
    return _library(user).exists()


def years_of(user: User) -> str:
    """The years that the user's photos are from, `2016 to 2025`; nothing without photos."""
    ends = _library(user).aggregate(first=Min("shown_at"), last=Max("shown_at"))
    if ends["first"] is None:
        return ""
    first, last = ends["first"].year, ends["last"].year
    return str(first) if first == last else f"{first} to {last}"


def _library(user: User) -> PhotoQuerySet:
    """Also photos that wait or were set aside: conditions and words find them, their look not."""
    return Photo.objects.visible_to(user).in_library()


def _newest(
    user: User, query: Query, visible: PhotoQuerySet, *, limit: int, offset: int
) -> SearchPage:
    """Where only conditions are given, all photos that satisfy them, newest first."""
    shown = folded(visible, user)
    total = shown.count() if query else 0
    reasons = satisfied(query)
    newest = counted(with_words(shown.newest_first(), user), user)
    photos = newest[offset : offset + limit] if total else []
    return SearchPage(
        query=query,
        found=[Found(photo, 1.0, reasons) for photo in photos],
        confident=total,
        total=total,
        hidden=0,
        next_offset=next_offset(offset, limit, total),
        memory=remembered(user, query) if query else UNKNOWN,
    )


def _hits(
    user: User,
    query: Query,
    visible: PhotoQuerySet,
    memory: Memory,
    ranker: Ranker | None,
) -> list[Hit]:
    view, words = engine.open_view(user), content_words(query.text)
    photos = view.photos
    if query.conditions:
        photos &= Selection.of(list(visible.values_list("pk", flat=True)))
    background = cutoff.Background(
        view.sample, generic_queries(view.version), known_words(view.version), len(photos)
    )
    vector = embed_query(view.version, query.text)
    nearest_to = cutoff.nearest_to(vector, background.known.asked(words))
    nearest = view.index.near(nearest_to, CANDIDATES, photos)
    worded = fulltext.search(
        connection,
        visible,
        [word.text for word in words],
        CANDIDATES,
        table=view.version.table,
    )
    ids = np.union1d(nearest, np.array(worded, np.int64))
    seen = view.index.vectors(ids)
    texts = fulltext.read(connection, ids.tolist(), having=words, table=view.version.table)
    opinions = signals.opinions(
        vector,
        words,
        background=background,
        photos=seen,
        texts=texts,
        own_tags=saying_tags([each.photo_id for each in texts if each.has_as_tags(words)], words),
    )
    against = [
        signals.absence(
            embed_query(view.version, unwanted), background, seen, content_words(unwanted)
        )
        for unwanted in query.unwanted
    ]
    fused = rank(query, [*opinions, *against], CANDIDATES)
    hits = in_learned_order(fused, ranker, visible, words=len(words))
    return fold_hits(user, last(hits, memory.not_meant))
