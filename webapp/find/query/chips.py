"""What was understood of a query, as chips that can be removed or turned around."""

from collections.abc import Callable
from dataclasses import dataclass

from search.query import Query, label


@dataclass(frozen=True)
class Chip:
    """One condition, and where one finds what is found without it and with it turned around."""

    label: str
    is_negated: bool
    removed_url: str
    turned_url: str
    turned_label: str


def chips_of(query: Query, url: Callable[[str], str]) -> list[Chip]:
    """A chip for each condition, in the order of the query; `url` is where a query leads."""
    return [
        Chip(
            label=label(each),
            is_negated=each.negated,
            removed_url=url(str(query.without(each))),
            turned_url=url(str(query.turned(each))),
            turned_label=label(each.turned),
        )
        for each in query.conditions
    ]
