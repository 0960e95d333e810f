"""Weigh three witnesses word by word, where people leave things out, and make it a probability.

Who writes one caption does not name all that is there. So a photo that does not name a word is
absent of it only in part: with p the probability that the word fits and m the share of captions
that name it when it does, silence leaves p(1 - m) / (1 - pm). Weights and these shares of doubt are
found in turns (expectation-maximisation; Elkan and Noto 2008 treat the same problem). Words with
few photos lean on the weights that words of their group have in the mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.heads.word_model import sigmoid
from vision.training.tags.isotonic import isotonic

# What each witness is divided by while weights are fitted, so that they are alike in size.
SCALE = np.array([1.0, 4.0, 0.1, 3.0], dtype=np.float32)
FIRST = np.array([-3.0, 0.5, 0.5, 1.5], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Fusion:
    """Settings: `hold` is how many photos' worth a group's mean weights count for."""

    hold: float = 30.0
    hold_bias: float = 0.3
    well_known: int = 60  # photos that name a word, for it to teach its group's weights
    rounds: int = 6
    thin: int = 5  # one in so many photos that do not name a word is looked at
    knots: int = 40


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What is known of one word on N photos: witnesses (N, 3), named (N,), `rate` (N,) how often
    people name it when it is there, and `weight` (N,) of each photo."""

    witnesses: NDArray[np.float32]
    named: NDArray[np.bool_]
    rate: NDArray[np.float32]
    weight: NDArray[np.float32]


def fit_weights(
    data: Witnessed,
    prior: NDArray[np.float32],
    config: Fusion,
    *,
    uses: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Weights (4,) of bias and witnesses; those that a word lacks, by `uses` (3,), are 0."""
    used, data = np.concatenate([[True], uses]), _thinned(data, config.thin)
    design = np.concatenate([np.ones((len(data.named), 1), np.float32), data.witnesses], axis=1)
    design = (design / SCALE)[:, used].astype(np.float32)
    centre = (prior * SCALE)[used]
    centre[0] = _log_odds(data.named, data.weight)
    hold = np.where(np.arange(len(centre)) == 0, config.hold_bias, config.hold)
    weights = (prior * SCALE)[used].astype(np.float64)
    weights[0] = centre[0]
    for _ in range(config.rounds):
        probable = sigmoid((design @ weights).astype(np.float32))
        target = presence(data.named, probable, data.rate)
        weights = _newton(design, target, data.weight, probable, weights, centre, hold)
    fitted = np.zeros(4, np.float32)
    fitted[used] = weights / SCALE[used]
    return fitted


def _thinned(data: Witnessed, thin: int) -> Witnessed:
    """All photos that name the word and some of the others, which count for those left out."""
    silent = np.flatnonzero(~data.named)[::thin]
    rows = np.concatenate([np.flatnonzero(data.named), silent])
    weight = np.where(data.named, 1.0, thin).astype(np.float32) * data.weight
    return Witnessed(data.witnesses[rows], data.named[rows], data.rate[rows], weight[rows])


def presence(
    named: NDArray[np.bool_], probable: NDArray[np.float32], rate: NDArray[np.float32]
) -> NDArray[np.float32]:
    """How surely a word fits each photo, given what people named."""
    silent = probable * (1 - rate) / np.maximum(1 - probable * rate, 1e-6)
    return np.where(named, 1.0, silent).astype(np.float32)


def fit_curve(
    log_odds: NDArray[np.float32],
    right: NDArray[np.float32],
    *,
    knots: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A monotone curve from log-odds to calibrated ones: its knots and values, (knots,) each."""
    order = np.argsort(log_odds, kind="stable")
    portions = [p for p in np.array_split(order, _edges(log_odds[order], knots)) if len(p)]
    middle = np.array([log_odds[p].mean() for p in portions])
    mass = np.array([len(p) for p in portions])
    hits = np.array([right[p].sum() for p in portions])
    # A little doubt, so that a portion that is always right is not certain.
    share = (hits + 0.5 * sigmoid(middle.astype(np.float32))) / (mass + 0.5)
    level = isotonic(np.clip(share, 1e-4, 0.995), mass)
    values = np.log(level / (1 - level))
    x, y = middle.astype(np.float32), values.astype(np.float32)
    return _padded(x, knots), _padded(y, knots)


def _edges(ordered: NDArray[np.float32], knots: int) -> NDArray[np.int64]:
    """Where portions begin: evenly in log-odds between their ends, as the likely ones are few."""
    if len(ordered) < 2:
        return np.array([], dtype=np.int64)
    low, high = max(float(ordered[0]), -8.0), min(float(ordered[-1]), 8.0)
    return np.searchsorted(ordered, np.linspace(low, high, knots + 1)[1:-1])


def _padded(values: NDArray[np.float32], knots: int) -> NDArray[np.float32]:
    return np.concatenate([values, np.full(knots - len(values), values[-1], np.float32)])


def _newton(
    design: NDArray[np.float32],
    target: NDArray[np.float32],
    weight: NDArray[np.float32],
    probable: NDArray[np.float32],
    weights: NDArray[np.float64],
    centre: NDArray[np.float32],
    hold: NDArray[np.float64],
) -> NDArray[np.float64]:
    """One step of a ridge-held logistic regression."""
    gradient = design.T @ (weight * (target - probable)) - hold * (weights - centre)
    curvature = (design * (weight * probable * (1 - probable))[:, None]).T @ design + np.diag(hold)
    step = np.linalg.solve(curvature.astype(np.float64), gradient.astype(np.float64))
    return weights + np.clip(step, -2.0, 2.0)


def _log_odds(named: NDArray[np.bool_], weight: NDArray[np.float32]) -> float:
    share = (float((weight * named).sum()) + 0.5) / (float(weight.sum()) + 1.0)
    return float(np.log(share / (1 - share)))


def mean_weights(fitted: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The middle of several words' weights, or the first guess where there is none."""
    if not fitted:
        return (FIRST / SCALE).astype(np.float32)
    middle: NDArray[np.float32] = np.median(np.stack(fitted), axis=0).astype(np.float32)
    return middle
