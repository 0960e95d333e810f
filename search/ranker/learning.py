"""Training: what was chosen should have stood above what was shown with it.

The loss of a list is that of a softmax over its scores, each choice weighted by what was made of it
and by one over the probability that it was looked at; a photo that a person said was not meant is
pushed below the others of its list.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from search.ranker.judging import Scorer, Verdict, judge
from search.ranker.log import Log, folds
from search.ranker.network import Floats, Network, fused, mean_of
from search.ranker.propensity import Propensities, estimate

EPOCHS = 300
PATIENCE = 40  # epochs without a better loss on the validating queries
RATE = 0.01
# Of the weights. Over 600 searches of simulated people 0.1 and 0.03 raised the mean reciprocal rank
# of new queries by 50 % in the mean, 0.001 by 45 %.
DECAY = 0.05
WEIGHTS = ("hidden", "bias", "out")

Gradients = dict[str, Floats]


@dataclass(frozen=True)
class _Lists:
    """Lists of one log, filled up to the longest: values (q, m, f), the rest (q, m)."""

    x: Floats
    fused: Floats
    is_there: NDArray[np.bool_]
    wanted: Floats  # sums to 1 for each list with a choice
    rejected: Floats
    weight: Floats  # (q,) of each list, 1 in the mean


@dataclass(frozen=True)
class Learned:
    """A network, and how it compares with the current order on queries not learned from."""

    network: Network
    verdict: Verdict


def learn(log: Log, *, current: Scorer) -> Learned | None:
    """Learn from `log`; None where too little was done with results to learn anything.

    Each of five networks is judged on the fifth of the queries that it has not seen. What is
    learned is the mean of the five, which is one network again.
    """
    propensities = estimate(log)
    beginning = Network.beginning(log.names, log.values, seed=0) if log.lists else None
    parts = folds(log)
    if beginning is None or not all(part.train.tells and part.validating.tells for part in parts):
        return None
    networks = [fit(beginning, part.train, part.validating, propensities) for part in parts]
    judged = [(part.held_out, each.score) for part, each in zip(parts, networks, strict=True)]
    return Learned(mean_of(networks), judge(judged, propensities, current=current))


def fit(beginning: Network, train: Log, validating: Log, propensities: Propensities) -> Network:
    """The network with the least loss on `validating` on the way from `beginning`."""
    network = best = beginning
    told, check = (_lists(log, network, propensities) for log in (train, validating))
    best_loss, best_at = _loss_alone(network, check), 0
    memory = {name: (np.zeros_like(getattr(network, name)),) * 2 for name in WEIGHTS}
    for epoch in range(1, EPOCHS + 1):
        network, memory = _step(network, memory, _loss(network, told)[1], epoch)
        loss = _loss_alone(network, check)
        if loss < best_loss:
            best, best_loss, best_at = network, loss, epoch
        elif epoch - best_at > PATIENCE:
            break
    return best


def _loss(network: Network, lists: _Lists) -> tuple[float, Gradients]:
    """The mean loss of a list, and how it grows with each weight, `DECAY` included."""
    x, h = lists.x.reshape(-1, lists.x.shape[2]), _hidden(network, lists)
    loss, slope = _listwise(_scores(h, network, lists), lists)
    each = (slope * (lists.weight / len(lists.x))[:, None]).reshape(-1)
    back = each[:, None] * network.out * (1.0 - h * h)
    gradients = {
        "out": each @ h + DECAY * network.out,
        "bias": back.sum(axis=0),
        "hidden": x.T @ back + DECAY * network.hidden,
    }
    return _mean(loss, lists), gradients


def _loss_alone(network: Network, lists: _Lists) -> float:
    return _mean(_listwise(_scores(_hidden(network, lists), network, lists), lists)[0], lists)


def _mean(loss: Floats, lists: _Lists) -> float:
    return float(loss @ lists.weight / len(lists.x))


def _hidden(network: Network, lists: _Lists) -> Floats:
    """The hidden layer (q · m, h)."""
    x = lists.x.reshape(-1, lists.x.shape[2])
    return np.tanh(x @ network.hidden + network.bias)


def _scores(h: Floats, network: Network, lists: _Lists) -> Floats:
    learned = (h @ network.out).reshape(lists.fused.shape)
    return np.where(lists.is_there, lists.fused + learned, -np.inf)


def _listwise(scores: Floats, lists: _Lists) -> tuple[Floats, Floats]:
    """Losses (q,), and their slopes (q, m) with the scores."""
    top = scores.max(axis=1, keepdims=True)
    total = np.log(np.exp(scores - top).sum(axis=1, keepdims=True)) + top
    share = np.exp(scores - total)
    has_choice = lists.wanted.sum(axis=1)
    log_share = np.where(lists.is_there, scores - total, 0.0)
    loss = -(lists.wanted * log_share).sum(axis=1)
    slope = share * has_choice[:, None] - lists.wanted
    return _push_down(scores, lists, loss, slope)


def _push_down(scores: Floats, lists: _Lists, loss: Floats, slope: Floats) -> tuple[Floats, Floats]:
    """Add softplus(score - mean of the others) for each photo that was not meant."""
    others = lists.is_there & (lists.rejected == 0)
    number = np.maximum(others.sum(axis=1, keepdims=True), 1)
    mean = np.where(others, scores, 0.0).sum(axis=1, keepdims=True) / number
    above = np.where(lists.rejected > 0, scores - mean, 0.0)
    pushed = lists.rejected / (1.0 + np.exp(-np.clip(above, -30, 30)))
    loss = loss + (lists.rejected * np.logaddexp(0.0, above)).sum(axis=1)
    return loss, slope + pushed - others * pushed.sum(axis=1, keepdims=True) / number


def _step(
    network: Network, memory: dict[str, tuple[Floats, Floats]], gradients: Gradients, epoch: int
) -> tuple[Network, dict[str, tuple[Floats, Floats]]]:
    """One step of Adam (Kingma & Ba 2015) over all lists at once."""
    moved: Gradients = {}
    kept: dict[str, tuple[Floats, Floats]] = {}
    for name, gradient in gradients.items():
        first = 0.9 * memory[name][0] + 0.1 * gradient
        second = 0.999 * memory[name][1] + 0.001 * gradient**2
        unbiased = first / (1 - 0.9**epoch), second / (1 - 0.999**epoch)
        moved[name] = getattr(network, name) - RATE * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)
        kept[name] = (first, second)
    hidden, bias, out = (moved[name] for name in WEIGHTS)
    return replace(network, hidden=hidden, bias=bias, out=out), kept


def _lists(log: Log, network: Network, propensities: Propensities) -> _Lists:
    told = [each for each in log.lists if each.tells]
    longest = max((len(each.gains) for each in told), default=1)
    shape = (len(told), longest)
    x = np.zeros((*shape, len(log.names)))
    base, wanted, rejected = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    is_there = np.zeros(shape, bool)
    for row, each in enumerate(told):
        n = len(each.gains)
        x[row, :n] = network.standardised(each.values)
        base[row, :n], is_there[row, :n] = fused(log.names, each.values), True
        wanted[row, :n] = each.gains / propensities.at(each.places)
        rejected[row, :n] = each.rejected
    weight = wanted.sum(axis=1)
    share = wanted / np.maximum(weight, 1e-9)[:, None]
    weight = np.where(weight > 0, weight, 1.0)
    mean = weight.mean() if len(weight) else 1.0
    return _Lists(x, base, is_there, share, rejected, weight / mean)
