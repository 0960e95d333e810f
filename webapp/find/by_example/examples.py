"""Finding photos by examples: photos of the library, a picture that is not in it, and words to add
or to take away.

    ?like=12,15               like these two
    ?like=12&q=at night       like this one, but at night
    ?image=…&q=-snow 2024     like this picture, without snow, and taken in 2024
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.http import QueryDict
from django.urls import reverse
from django.utils.http import urlencode
from numpy.typing import NDArray

from search import cutoff
from search.alike import alike
from search.combine import Combination, combine
from search.index import Selection
from search.query import Field, Query
from search.rank import Hit, Signal, last
from webapp.accounts.models import User
from webapp.errors import TooLarge
from webapp.examples.models import ExampleImage
from webapp.examples.services import embedding_of, find_picture
from webapp.find.history.events import Memory, remembered
from webapp.find.history.wishes import Wish, written
from webapp.find.index import engine
from webapp.find.query.embedding import embed_query
from webapp.find.query.understanding import understand
from webapp.find.services import (
    CANDIDATES,
    PAGE,
    SearchPage,
    before_the_cutoff,
    found_with_photos,
    matching_photos,
    next_offset,
)
from webapp.library.forms import as_id
from webapp.library.models import Photo
from webapp.library.services.reading import chosen
from webapp.library.tiles import Tile, tiles_of
from webapp.stacks.folding import fold_hits
from webapp.teach.words import with_words

MAX_EXAMPLES = 20
# A photo says of itself that it resembles the examples, or fits the words, where it lies so many
# spreads above what the library's photos usually do: one in six would by chance.
TELLING = 1.0
LIKE_THEM, FITS = "looks like your example", "fits ‘{}’"


@dataclass(frozen=True)
class Example:
    """One example as a page shows it; `without_url` is the search without it."""

    thumbnail: str
    alt: str
    lang: str
    url: str
    without_url: str


@dataclass(frozen=True)
class Examples:
    """What results shall be like."""

    photos: Sequence[Photo]
    image: ExampleImage | None = None
    token: str = ""

    @property
    def ids(self) -> list[int]:
        return [photo.pk for photo in self.photos]

    @property
    def written(self) -> str:
        """As the history writes them down."""
        return written(self.ids, bytes(self.image.picture) if self.image else None)

    @property
    def fields(self) -> dict[str, str]:
        """Their part of the address, also as hidden fields of the search box."""
        like = {"like": ",".join(map(str, self.ids))} if self.photos else {}
        return like | ({"image": self.token} if self.image else {})

    def url(self, text: str, *, offset: int = 0, more: bool = False) -> str:
        place = {"offset": str(offset)} if offset else {}
        return f"{reverse('find:page')}{self.trail(text, more=more, **place)}"

    def trail(self, text: str, *, more: bool = False, **place: str) -> str:
        """What the address of a photo that was found so ends in."""
        all_of_it = {"more": "1"} if more else {}
        return f"?{urlencode({'q': text, **self.fields, **all_of_it, **place})}"

    def shown(self, text: str) -> list[Example]:
        """Each with the address of the same search without it."""
        tiles = tiles_of(self.photos)
        found = [_of_photo(tile, self._without(text, tile.id)) for tile in tiles]
        if self.image:
            address = reverse("examples:picture", args=[self.token])
            rest = Examples(self.photos).url(text)
            found.append(Example(address, "Your picture", "", address, rest))
        return found

    def _without(self, text: str, photo_id: int) -> str:
        kept = [photo for photo in self.photos if photo.pk != photo_id]
        return Examples(kept, self.image, self.token).url(text)


def _of_photo(tile: Tile, without_url: str) -> Example:
    return Example(tile.thumbnail, tile.alt, tile.lang, tile.url, without_url)


def asked_examples(user: User, data: QueryDict) -> Examples | None:
    """The examples that an address names; None where it names none.

    Unknown and foreign photos are left out alike. Raises `NotFound` for a picture that is not
    kept, or somebody else's, and `TooLarge`.
    """
    if not (data.get("like") or data.get("image")):
        return None
    ids = [as_id(word.strip()) for word in data.get("like", "")[:1_000].split(",")]
    known = list(dict.fromkeys(each for each in ids if each is not None))
    if len(known) > MAX_EXAMPLES:
        raise TooLarge(
            f"Marea looks for what is like at most {MAX_EXAMPLES} photos at once. Choose fewer.",
            field="like",
        )
    photos = with_words(chosen(user, known).in_library(), user).in_bulk() if known else {}
    token = data.get("image", "")
    image = find_picture(user, token) if token else None
    return Examples([photos[pk] for pk in known if pk in photos], image, token)


def wish_of(user: User, data: QueryDict) -> Wish:
    """What an address or a form asks for; raises as `asked_examples` does."""
    examples = asked_examples(user, data)
    return Wish(data.get("q", ""), examples.written if examples else "")


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
