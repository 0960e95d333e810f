"""What an address asks for by examples: photos of the library, a picture that is not in it, and
words to add or to take away.

    ?like=12,15               like these two
    ?like=12&q=at night       like this one, but at night
    ?image=…&q=-snow 2024     like this picture, without snow, and taken in 2024
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict
from django.urls import reverse
from django.utils.http import urlencode

from webapp.accounts.models import User
from webapp.errors import TooLarge
from webapp.examples.models import ExampleImage
from webapp.examples.services import find_picture
from webapp.find.history.wishes import Wish, written
from webapp.library.forms import as_id
from webapp.library.models import Photo
from webapp.library.services.reading import chosen
from webapp.library.tiles import Tile, tiles_of
from webapp.teach.words import with_words

MAX_EXAMPLES = 20


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
