"""A selection of photos as a filter expression that Milvus reads.

Three plans, by what is cheapest: ranges of ids (an owner's uploads, everything but what was
deleted), a list of ids (a selective condition), or none: ask for more and sieve the answer.
"""

from __future__ import annotations

import numpy as np

from search.index.selection import Ids, Selection

MOST_RESULTS = 16_384  # that the server gives for one question
MOST_TERMS = 1_000  # ranges and single ids that are read in little time
# Where a filter would be longer: so many times the results that chance would need.
MARGIN = 4


def filter_for(
    live: Selection, ids: Ids, k: int, *, exactly: bool = False
) -> tuple[str | None, int]:
    """Filter and limit that give the best `k` of `live` among `ids` (n,), all that there is.

    The filter is None where the answer must be sieved; never if `exactly`.
    """
    inside = live.contains(ids)
    edges = np.flatnonzero(np.diff(inside, prepend=False, append=False))
    first, last = ids[edges[::2]], ids[edges[1::2] - 1]
    if first.size == 1 and inside.all():
        return "", k
    if exactly or first.size <= MOST_TERMS:
        return _expression(first, last), k
    return None, min(MOST_RESULTS, MARGIN * k * ids.size // max(1, int(inside.sum())))


def _expression(first: Ids, last: Ids) -> str:
    """Ids from `first` to `last`, both included, for each pair."""
    single = first[first == last].tolist()
    spans = zip(first[first != last].tolist(), last[first != last].tolist(), strict=True)
    terms = [f"({low} <= id and id <= {high})" for low, high in spans]
    if single or not terms:
        terms.append(f"id in {single}")
    return " or ".join(terms)
