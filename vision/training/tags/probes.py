"""Linear probes: from pooled features to the log-odds that people name a word.

Several are trained, each without a share of the photos, so that every photo has a probe that has
not seen it: what those say is what calibration may trust. The mean of all of them ships.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from vision.training.steps import Progress, silent
from vision.training.tags.material import TagPhotos


@dataclass(frozen=True, slots=True)
class ProbeTraining:
    """Settings of one training; on 6,091 + 25,000 photos a fold takes 15 s of two cores."""

    folds: int = 3
    fewest: int = 20  # photos that name a word, for it to get a probe
    epochs: int = 3
    batch: int = 500
    peak_rate: float = 2e-3
    weight_decay: float = 0.3
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Probes:
    """`weights` (W, F) on raw features, zeros for words without a probe; `unseen` are log-odds
    (photos, W) by the probe that was trained without the photo, one array a collection."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    has_probe: NDArray[np.bool_]
    unseen: list[NDArray[np.float32]]


def train_probes(
    photos: Sequence[TagPhotos], config: ProbeTraining, *, progress: Progress = silent
) -> Probes:
    """Train `config.folds` probes for all words that are named often enough."""
    shown = np.concatenate([each.told for each in photos])
    has_probe = shown.sum(axis=0) >= config.fewest
    fold_of = [_folds(len(each), config, number) for number, each in enumerate(photos)]
    mean, spread = _standard(photos)
    unseen = [np.zeros((len(each), shown.shape[1]), np.float32) for each in photos]
    weights = np.zeros((shown.shape[1], len(mean)), np.float32)
    bias = np.zeros(shown.shape[1], np.float32)
    for fold in range(config.folds):
        kept = [own != fold for own in fold_of]
        own_weights, own_bias = _train(photos, kept, has_probe, mean, spread, config)
        weights[has_probe] += own_weights / config.folds
        bias[has_probe] += own_bias / config.folds
        for each, own, said in zip(photos, fold_of, unseen, strict=True):
            rows = own == fold
            inputs = each.inputs[0][rows].astype(np.float32)
            said[np.ix_(rows, has_probe)] = inputs @ own_weights.T + own_bias
        progress(fold + 1, config.folds, {})
    return Probes(weights, bias, has_probe, unseen)


def _train(
    photos: Sequence[TagPhotos],
    kept: Sequence[NDArray[np.bool_]],
    has_probe: NDArray[np.bool_],
    mean: NDArray[np.float32],
    spread: NDArray[np.float32],
    config: ProbeTraining,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights (W, F) and bias (W,) on raw features, of one probe."""
    rows = [(number, np.flatnonzero(own)) for number, own in enumerate(kept)]
    source = np.concatenate([np.full(len(own), number) for number, own in rows])
    inside = np.concatenate([own for _, own in rows])
    truths = [torch.from_numpy(each.told[:, has_probe]) for each in photos]
    known = [torch.from_numpy(each.known[:, has_probe]) for each in photos]
    torch.manual_seed(config.seed)
    probe = nn.Linear(len(mean), int(has_probe.sum()))
    nn.init.zeros_(probe.weight)
    probe.bias.data = torch.from_numpy(_usual_log_odds(photos, has_probe))
    # People of one collection name other things, and more or fewer of them; that is not to be
    # learned from what the photo looks like.
    habit = nn.Parameter(torch.zeros(len(photos), int(has_probe.sum())))
    steps = config.epochs * max(1, len(source) // config.batch)
    optimizer = torch.optim.AdamW(
        [
            {"params": [probe.weight], "weight_decay": config.weight_decay},
            {"params": [probe.bias, habit], "weight_decay": 0.0},
        ],
        lr=config.peak_rate,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.peak_rate, steps)
    rng = np.random.default_rng(config.seed)
    order = np.concatenate([rng.permutation(len(source)) for _ in range(config.epochs + 1)])
    for step in range(steps):
        chosen = order[step * config.batch : (step + 1) * config.batch]
        view = int(rng.integers(min(len(each.inputs) for each in photos)))
        inputs, named, judged, who = _batch(photos, truths, known, source, inside, chosen, view)
        standard = (inputs - torch.from_numpy(mean)) / torch.from_numpy(spread)
        loss = _loss(probe(standard) + habit[who], named, judged)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    weights = np.asarray(probe.weight.detach().numpy() / spread, np.float32)
    bias = np.asarray(probe.bias.detach().numpy() - weights @ mean, np.float32)
    bias += _usual_habit(habit, photos)
    return weights, bias


def _batch(
    photos: Sequence[TagPhotos],
    truths: Sequence[Tensor],
    known: Sequence[Tensor],
    source: NDArray[np.int64],
    inside: NDArray[np.int64],
    chosen: NDArray[np.int64],
    view: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Inputs, what is named, what is known, and the collection of each photo."""
    inputs, named, judged, who = [], [], [], []
    for number, each in enumerate(photos):
        rows = np.sort(inside[chosen[source[chosen] == number]])
        inputs.append(torch.from_numpy(each.inputs[view][rows].astype(np.float32)))
        named.append(truths[number][torch.from_numpy(rows)])
        judged.append(known[number][torch.from_numpy(rows)])
        who.append(torch.full((len(rows),), number))
    return torch.cat(inputs), torch.cat(named).float(), torch.cat(judged).float(), torch.cat(who)


def _loss(log_odds: Tensor, named: Tensor, known: Tensor) -> Tensor:
    each = functional.binary_cross_entropy_with_logits(log_odds, named, reduction="none")
    return (each * known).sum(dim=1).mean()


def _usual_habit(habit: Tensor, photos: Sequence[TagPhotos]) -> NDArray[np.float32]:
    """The mean habit of captioned collections."""
    usual: NDArray[np.float32] = habit.detach()[_captioned(photos)].mean(0).numpy()
    return usual


def _usual_log_odds(
    photos: Sequence[TagPhotos], has_probe: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """How often each word is named at all; with another start, all steps go into finding it."""
    share = np.concatenate([each.told[:, has_probe] for each in photos]).mean(axis=0)
    share = np.clip(share, 1e-4, 1 - 1e-4)
    return np.log(share / (1 - share)).astype(np.float32)


def _folds(count: int, config: ProbeTraining, number: int) -> NDArray[np.int64]:
    return np.random.default_rng((config.seed, number)).permutation(count) % config.folds


def _standard(photos: Sequence[TagPhotos]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and spread of features over captioned photos, at least a little of it."""
    inputs = np.concatenate([photos[number].inputs[0] for number in _captioned(photos)])
    sample = inputs[:: max(1, len(inputs) // 8000)].astype(np.float32)
    return sample.mean(axis=0), sample.std(axis=0) + 1e-3


def _captioned(photos: Sequence[TagPhotos]) -> list[int]:
    """The collections with captions, or all where none has."""
    return [n for n, each in enumerate(photos) if each.captions] or list(range(len(photos)))
