"""The query language: free text mixed with conditions, in any order.

    two dogs beach                   free text, compared by meaning and by words
    "red car"  -"x y"                exact words that must, or must not, stand in a photo's texts
    -car  without people  no cars    what should not be on it
    last summer  in December  2019   when; in words or numbers, in English and partly in German
    before:2020  from:2019-06-01     the same, exactly
    in Rome  place:italy             where, if the photo says so
    tag:dog  camera:"EOS 90D"  album:Sicily  type:png  has:caption  is:favourite

`-` before any condition turns it around. Whatever is not understood is free text, so every text is
a query. `str(query)` writes a query so that it parses to itself again. docs/search.md tells it all.
"""

from search.query.dates import DateRange, Recurring
from search.query.labels import days_in_words, label
from search.query.model import HAS, TYPES, Condition, Field, Query
from search.query.parser import (
    MAX_CONDITIONS,
    MAX_SCANNED,
    MAX_TEXT,
    MAX_VALUE,
    cleaned,
    parse,
)

__all__ = [
    "HAS",
    "MAX_CONDITIONS",
    "MAX_SCANNED",
    "MAX_TEXT",
    "MAX_VALUE",
    "TYPES",
    "Condition",
    "DateRange",
    "Field",
    "Query",
    "Recurring",
    "cleaned",
    "days_in_words",
    "label",
    "parse",
]
