"""How far down people look: the probability that a photo is looked at, by its place.

Whatever stands further up is opened more often because it stands there. Weighting each choice by
one over the probability that its photo was looked at takes that out of the loss and out of the
judgement (Joachims, Swaminathan & Schnabel, “Unbiased learning-to-rank with biased feedback”,
WSDM 2017). The probabilities come from the log itself, without any experiment upon people, by
expectation maximisation with a regression on the features for relevance (Wang et al., “Position
bias estimation for unbiased learning to rank in personal search”, WSDM 2018).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.ranker.log import Log
from search.ranker.network import Floats, Network

# Places that are looked at alike: each of the first ten, then wider.
EDGES = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 30, 45, 60, 120])
STEPS, NEWTON_STEPS = 30, 2
RIDGE = 1.0
# As if so many looks had been seen that follow a common law (1 / place): a bin with little data
# says little.
PRIOR_LOOKS = 10.0
# Weights above 1 / CLIP say more about chance than about people.
CLIP = 0.1


@dataclass(frozen=True)
class Propensities:
    """By bin of places: the probability (b,) of a look, relative to the first place."""

    looks: Floats

    def at(self, places: NDArray[np.int64]) -> Floats:
        """For each of `places` (n,), clipped from below."""
        return np.maximum(self.looks[np.digitize(places, EDGES)], CLIP)


def common_law() -> Propensities:
    """What is assumed before anything was seen."""
    first = np.concatenate([[0], EDGES])
    return Propensities(1.0 / (1.0 + first))


def estimate(log: Log) -> Propensities:
    """From all lists of `log`, also those of which nothing was opened."""
    prior = common_law().looks
    lists = [each for each in log.lists if len(each.places)]
    if not any(each.gains.any() for each in lists):
        return Propensities(prior)
    bins = np.digitize(np.concatenate([each.places for each in lists]), EDGES)
    chosen = np.concatenate([each.gains for each in lists]) > 0
    values = Network.beginning(log.names, log.values, seed=0).standardised(log.values)
    return Propensities(_maximise(bins, chosen, _with_one(values), prior))


def _maximise(
    bins: NDArray[np.int64], chosen: NDArray[np.bool_], x: Floats, prior: Floats
) -> Floats:
    looks, weights = prior.copy(), np.zeros(x.shape[1])
    weights[-1] = _logit(np.clip(chosen.mean() * 2, 1e-3, 0.5))
    shown = np.bincount(bins, minlength=len(prior))
    for _ in range(STEPS):
        fit = _sigmoid(x @ weights)
        look = looks[bins]
        unseen = np.maximum(1.0 - look * fit, 1e-9)
        seen = np.where(chosen, 1.0, look * (1.0 - fit) / unseen)
        fits = np.where(chosen, 1.0, fit * (1.0 - look) / unseen)
        seen_of = np.bincount(bins, seen, minlength=len(prior))
        looks = (seen_of + PRIOR_LOOKS * prior) / (shown + PRIOR_LOOKS)
        looks = np.minimum(looks / looks[0], 1.0)
        for _ in range(NEWTON_STEPS):
            weights = _newton(x, fits, weights)
    return looks


def _newton(x: Floats, target: Floats, weights: Floats) -> Floats:
    """One step of a logistic regression with a ridge towards 0."""
    fit = _sigmoid(x @ weights)
    gradient = x.T @ (target - fit) - RIDGE * weights
    curvature = (x * (fit * (1.0 - fit))[:, None]).T @ x + RIDGE * np.eye(x.shape[1])
    return weights + np.clip(np.linalg.solve(curvature, gradient), -2.0, 2.0)


def _with_one(values: Floats) -> Floats:
    return np.hstack([values, np.ones((len(values), 1))])


def _sigmoid(x: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -30.0, 30.0)))


def _logit(share: float) -> float:
    return float(np.log(share / (1.0 - share)))
