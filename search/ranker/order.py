"""The learned order of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from search.rank import Hit
from search.ranker.features import Facts, describe
from search.ranker.network import Network

# How many are put in order of those before the cut-off, and of those behind it. People seldom look
# further, and each costs a row of the database.
DEPTH, DEPTH_BEHIND = 200, 60


def to_order(hits: Sequence[Hit], confident: int) -> list[Hit]:
    """Those of `hits`, of which `confident` come before the cut-off, whose order is learned."""
    return [*hits[: min(confident, DEPTH)], *hits[confident : confident + DEPTH_BEHIND]]


def reordered(
    hits: Sequence[Hit],
    network: Network,
    facts: Mapping[int, Facts],
    *,
    confident: int,
    words: int,
) -> list[Hit]:
    """`hits` in the learned order: those before the cut-off among themselves, and those behind it.

    Probabilities stay as they are, so the cut-off does too. Photos without `facts` (they vanished
    meanwhile) and those beyond `DEPTH` keep their places behind the others.
    """
    best = max((hit.score for hit in hits), default=0.0)
    groups = (hits[:confident], DEPTH), (hits[confident:], DEPTH_BEHIND)
    ordered: list[Hit] = []
    for group, depth in groups:
        known = [hit for hit in group[:depth] if hit.photo_id in facts]
        names, values = describe(known, facts, best=best, words=words)
        scores = network.score(names, values) if known else np.zeros(0)
        ordered += [known[place] for place in np.argsort(-scores, kind="stable")]
        ordered += [hit for hit in group[:depth] if hit.photo_id not in facts]
        ordered += group[depth:]
    return ordered
