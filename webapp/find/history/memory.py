"""What is remembered of a query: whether anything may be, and what it does not mean."""

import hashlib
from dataclasses import dataclass

from django.db.models import F, FilteredRelation, Q

from search.query import Query
from webapp.accounts.models import User
from webapp.find.history.models import SearchChoice, SearchDeed
from webapp.find.history.wishes import Wish
from webapp.find.query.understanding import understand


@dataclass(frozen=True)
class Memory:
    """Of one query of one person."""

    is_kept: bool = False
    not_meant: frozenset[int] = frozenset()  # ids of photos


UNKNOWN = Memory()


def key_of(query: Query, examples: str = "") -> str:
    """The same for every way to write the same query; another for each set of examples."""
    said = f"{examples}\n{query}" if examples else str(query)
    written = said.casefold().encode("utf-8", "surrogatepass")
    return hashlib.sha256(written).hexdigest()[:32]


def key_of_wish(user: User, wish: Wish) -> str:
    return key_of(understand(user, wish.text), wish.examples)


def remembered(user: User, query: Query, examples: str = "") -> Memory:
    """What `user` chose and marked, in one query."""
    not_this = SearchDeed.Kind.NOT_THIS
    marks = Q(search_deeds__key=key_of(query, examples), search_deeds__kind=not_this)
    chosen = User.objects.filter(pk=user.pk).annotate(
        mark=FilteredRelation("search_deeds", condition=marks),
        is_kept=F("search_choice__keeps_history"),
    )
    rows = list(chosen.values_list("is_kept", "mark__photo"))
    return Memory(
        is_kept=bool(rows) and rows[0][0] is not False,
        not_meant=frozenset(photo_id for _, photo_id in rows if photo_id is not None),
    )


def keeps_history(user: User) -> bool:
    return not SearchChoice.objects.filter(user=user, keeps_history=False).exists()
