"""Queries as this library understands them: with its user's places, and the vocabulary's things."""

from collections.abc import Container
from functools import cached_property, lru_cache

from django.utils import timezone

from search.query import Query, parse
from search.words import fold, word_set
from vision.vocabulary import search_forms, vocabulary
from webapp.accounts.models import User
from webapp.library.models import Place

# Where a name goes on, people leave off: "Frankfurt am Main", "New York City".
_GOES_ON = word_set("am an auf der im in ob city sur upon on del")


def understand(user: User, text: str) -> Query:
    """What `user` asks by `text`, today."""
    return parse(text, timezone.localdate(), places=_OwnPlaces(user), things=known_things())


class _OwnPlaces(Container[str]):
    """Names of places where a user has photos; asked for only when a query has “in …”."""

    def __init__(self, user: User) -> None:
        self._user = user

    def __contains__(self, name: object) -> bool:
        return name in self._names

    @cached_property
    def _names(self) -> frozenset[str]:
        rows = Place.objects.visible_to(self._user).values_list(
            "town_key", "region_key", "country_key"
        )
        keys = {key for row in rows for key in row if key}
        return frozenset(keys | {_short(key) for key in keys})


def _short(key: str) -> str:
    words = key.split()
    end = next((place for place, word in enumerate(words) if place and word in _GOES_ON), None)
    return " ".join(words[:end])


@lru_cache(maxsize=1)
def known_things() -> frozenset[str]:
    """Words for what can be on a photo, with their plurals and synonyms."""
    forms = (form for word in vocabulary() for form in (word, *search_forms(word)))
    return frozenset(fold(form) for form in forms)
