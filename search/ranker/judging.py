"""Whether one order is better than another, on queries that neither has learned from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from search.ranker.features import Matrix
from search.ranker.log import Log
from search.ranker.network import Floats
from search.ranker.propensity import Propensities

Scorer = Callable[[Sequence[str], Matrix], Floats]

MIN_QUERIES = 25  # held out and with a choice; with fewer chance decides
SAMPLES = 1_000
LEAST = 0.01  # quantile of the bootstrap that must be above zero: one in a hundred by chance


@dataclass(frozen=True)
class Verdict:
    """Mean reciprocal ranks of what was chosen, weighted by one over the probability of a look.

    `low` and `high` bound the gain over the current order in 98 of 100 resamplings of the queries.
    """

    queries: int
    current: float
    candidate: float
    low: float
    high: float

    @property
    def is_better(self) -> bool:
        return self.queries >= MIN_QUERIES and self.low > 0.0

    def as_json(self) -> dict[str, float]:
        return asdict(self)


def judge(
    parts: Sequence[tuple[Log, Scorer]],
    propensities: Propensities,
    *,
    current: Scorer,
    seed: int = 0,
) -> Verdict:
    """Compare the current order with that of candidates, each on lists that it has not seen, by a
    paired bootstrap over queries."""
    rows = [_by_query(log, propensities, current, candidate) for log, candidate in parts]
    ours, theirs, weights = np.concatenate(rows).T
    if not len(weights):
        return Verdict(0, 0.0, 0.0, 0.0, 0.0)
    drawn = np.random.default_rng(seed).integers(0, len(weights), (SAMPLES, len(weights)))
    gains = (theirs - ours)[drawn].sum(axis=1) / weights[drawn].sum(axis=1)
    low, high = np.quantile(gains, [LEAST, 1 - LEAST])
    total = weights.sum()
    means = float(ours.sum() / total), float(theirs.sum() / total)
    return Verdict(len(weights), *means, low=float(low), high=float(high))


def reciprocal_ranks(scores: Floats, start: int = 0) -> Floats:
    """1 / place of each photo in the order of `scores`, equals as they came; the list begins
    behind `start` others."""
    order = np.argsort(-scores, kind="stable")
    ranks = np.empty(len(scores))
    ranks[order] = 1.0 / (start + np.arange(1, len(scores) + 1))
    return ranks


def _by_query(log: Log, propensities: Propensities, current: Scorer, candidate: Scorer) -> Floats:
    """For each query (q, 3): the weighted reciprocal ranks of its choices in either order, summed,
    and the sum of the weights."""
    sums: dict[str, Floats] = {}
    for each in log.lists:
        if not each.gains.any():
            continue
        weights = each.gains / propensities.at(each.places)
        start = int(each.places.min())
        ranks = [
            reciprocal_ranks(scorer(log.names, each.values), start)
            for scorer in (current, candidate)
        ]
        told = np.array([weights @ ranks[0], weights @ ranks[1], weights.sum()])
        sums[each.query] = sums.get(each.query, np.zeros(3)) + told
    return np.array(list(sums.values())).reshape(len(sums), 3)
