"""The photos most like the examples, and what speaks for each."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from search import cutoff
from search.alike import alike
from search.combine import Combination, combine
from search.index import Selection
from search.query import Field, Query
from search.rank import Hit, Signal, last
from webapp.accounts.models import User
from webapp.examples.services import embedding_of
from webapp.find.by_example.examples import Examples
from webapp.find.history.memory import Memory, remembered
from webapp.find.index import engine
from webapp.find.query.embedding import embed_query
from webapp.find.query.understanding import understand
from webapp.find.results import (
    PAGE,
    SearchPage,
    before_the_cutoff,
    found_with_photos,
    next_offset,
)
from webapp.find.services import CANDIDATES, matching_photos
from webapp.stacks.folding import fold_hits

# A photo says of itself that it resembles the examples, or fits the words, where it lies so many
# spreads above what the library's photos usually do: one in six would by chance.
TELLING = 1.0
LIKE_THEM, FITS = "looks like your example", "fits ‘{}’"


def find_like(
    user: User,
    text: str,
    examples: Examples,
    *,
    limit: int = PAGE,
    offset: int = 0,
    show_more: bool = False,
) -> SearchPage | None:
    """The user's photos most like the examples, best first; those that are hardly of the same only
    if `show_more`. None while a worker has to look at a picture. Words of `text` add to the
    examples or, with a minus, take away from them; conditions hold as in every search. The number
    of SQL queries does not depend on the results."""
    query = understand(user, text)
    memory = remembered(user, query, examples.written)
    hits = like_hits(user, query, examples, memory)
    if hits is None:
        return None
    confident = cutoff.confident(hits)
    shown = before_the_cutoff(hits, show_more=show_more)
    page = shown[offset : offset + limit]
    return SearchPage(
        query=query,
        found=found_with_photos(user, matching_photos(user, query), page),
        confident=confident,
        total=len(hits),
        hidden=len(hits) - len(shown),
        next_offset=next_offset(offset, limit, len(shown)),
        hits=hits,
        memory=memory,
    )


def like_hits(
    user: User, query: Query, examples: Examples, memory: Memory | None = None
) -> list[Hit] | None:
    """What `find_like` pages through; None while a worker has to look at a picture."""
    view = engine.open_view(user)
    known, vectors = view.index.vectors(examples.ids)
    if examples.image:
        picture = embedding_of(examples.image, view.version)
        if picture is None:
            return None
        vectors = np.concatenate([vectors, picture[None]])
    if not len(vectors):
        return []
    wanted = _combination(view, query, vectors)
    photos = view.photos.removing(known)
    if query.conditions:
        matching = matching_photos(user, query).values_list("pk", flat=True)
        photos &= Selection.of(list(matching))
    _, nearest = view.index.search(wanted.whole, CANDIDATES, photos)
    ids = nearest[nearest >= 0]
    probable = _probable(view, query, wanted, ids, size=len(photos), examples=len(vectors))
    hits = _hits(view, query, wanted, ids, probable)
    known_to = memory or remembered(user, query, examples.written)
    return fold_hits(user, last(hits, known_to.not_meant))


def _combination(view: engine.View, query: Query, vectors: NDArray[np.float32]) -> Combination:
    plus = embed_query(view.version, query.text) if query.text else None
    minus = [embed_query(view.version, words) for words in _taken_away(query)]
    return combine(vectors, view.sample, plus=plus, minus=minus)


def _taken_away(query: Query) -> list[str]:
    """Words that what is looked for shall not show."""
    exact = [each.value for each in query.of(Field.WORDS) if each.negated]
    return [*query.unwanted, *exact]


def _hits(
    view: engine.View,
    query: Query,
    wanted: Combination,
    ids: NDArray[np.int64],
    probable: Mapping[int, float],
) -> list[Hit]:
    """In the index's order, each with what speaks for it."""
    parts = [_signal(view, ids, wanted.likeness, LIKE_THEM)]
    if wanted.words is not None:
        parts.append(_signal(view, ids, wanted.words, FITS.format(query.text)))
    return [Hit(photo_id, probable.get(photo_id, 0.0), parts) for photo_id in ids.tolist()]


def _probable(
    view: engine.View,
    query: Query,
    wanted: Combination,
    ids: NDArray[np.int64],
    *,
    size: int,
    examples: int,
) -> dict[int, float]:
    """How probably each photo shows the same. With words nothing measures that: then whatever is
    near counts as meant."""
    if query.text or _taken_away(query):
        return dict.fromkeys(ids.tolist(), 1.0)
    known, vectors = view.index.vectors(ids)
    found = alike(vectors, view.sample, wanted, size=size, examples=examples)
    return dict(zip(known.tolist(), found.tolist(), strict=True))


def _signal(
    view: engine.View, ids: NDArray[np.int64], direction: NDArray[np.float32], said: str
) -> Signal:
    """By how much more than `TELLING` photos lie along `direction`, in spreads of the library."""
    known, vectors = view.index.vectors(ids)
    usual = float(np.median(view.sample @ direction)) if len(view.sample) else 0.0
    scores = vectors @ direction - usual - TELLING
    return Signal(said, dict(zip(known.tolist(), scores.tolist(), strict=True)), lambda _: said)
