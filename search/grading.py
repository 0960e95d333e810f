"""How good an order is when answers are graded, and whether one got worse by more than noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GLANCE = 10  # results that are seen at a glance
RESAMPLES = 4_000
CHANCE = 0.01  # how often a group that did not fall is taken for one that did
LEAST_FALL = 0.002  # in the mean; nobody sees less, however sure it is


def ndcg(order: Sequence[int], grades: Mapping[int, int], k: int = GLANCE) -> float:
    """Normalised discounted cumulative gain of the first `k` of `order`, 0 to 1.

    `grades` are of all that is right, not only of what was found; the gain of a grade g is
    2^g - 1. Järvelin and Kekäläinen 2002, with the gains of Burges et al. 2005.
    """
    found = _gain([grades.get(each, 0) for each in order[:k]])
    best = _gain(sorted(grades.values(), reverse=True)[:k])
    return found / best if best else 0.0


@dataclass(frozen=True, slots=True)
class Change:
    """How the mean of the same queries changed: from, to, and the least and greatest change that
    chance in the choice of queries leaves likely."""

    before: float
    after: float
    least: float
    most: float

    @property
    def is_worse(self) -> bool:
        return self.most < 0 and self.after - self.before < -LEAST_FALL


def change(before: Sequence[float], after: Sequence[float]) -> Change:
    """What became of queries, by the bootstrap over queries: pairs are drawn, so that easy and
    hard queries do not blur what changed. Both in the same order, not empty."""
    pairs = np.array([before, after], np.float64)
    differences = pairs[1] - pairs[0]
    chance = np.random.default_rng(0)
    drawn = chance.integers(len(differences), size=(RESAMPLES, len(differences)))
    least, most = np.quantile(differences[drawn].mean(axis=1), [CHANCE, 1 - CHANCE])
    return Change(*(float(each) for each in (*pairs.mean(axis=1), least, most)))


def _gain(grades: Sequence[int]) -> float:
    gains = np.exp2(np.array(grades, np.float64)) - 1
    return float((gains * _discounts(len(grades))).sum())


def _discounts(count: int) -> NDArray[np.float64]:
    return 1 / np.log2(np.arange(2, count + 2))
