"""Small networks on descriptions: training one, and choosing the best of several."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vision.classifying.looking import Floats
from vision.heads.classifier import ClassifierConfig, ClassifierNetwork

BATCH = 256
SMALLEST_DEVIATION = 1e-3
WEIGHTS = (0.2, 5.0)  # least and most that a photo may count, however uneven the classes are
BACKGROUND_SHARE = 0.5  # photos of none of the classes in a batch, per photo of one

Ints = NDArray[np.int64]
Curve = Callable[[int, dict[str, float]], object]


@dataclass(frozen=True, slots=True)
class Examples:
    """Photos with labels; those of no class have the label `classes`."""

    plain: Floats
    mirrored: Floats
    labels: Ints

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one network is trained. Label smoothing 0.1 gained 0.4 points on Caltech-101, weight
    decay between 0 and 1 changed nothing."""

    name: str
    hidden: int = 0
    rate: float = 3e-3
    dropout: float = 0.3
    epochs: int = 40
    patience: int = 8
    smoothing: float = 0.1
    decay: float = 0.05

    @property
    def in_words(self) -> str:
        return f"{self.name} at rate {self.rate:g}"


RECIPES = {
    "linear": (Recipe("linear"), Recipe("linear", rate=1e-3)),
    "deep": (Recipe("deep", hidden=512, rate=1e-3),),
}


@dataclass(frozen=True, slots=True)
class Fitted:
    """A network and how good it is on the validation photos of its classes."""

    network: ClassifierNetwork
    recipe: Recipe
    top1: float
    loss: float
    epochs: int


def fit(
    recipe: Recipe, train: Examples, validation: Examples, classes: int, *, seed: int, curve: Curve
) -> Fitted:
    """Train until the validation loss has not fallen for `patience` epochs; the best one stays."""
    torch.manual_seed(seed)
    network = _started(recipe, train, classes)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    batches = math.ceil(int((train.labels < classes).sum()) / BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.epochs * batches)
    draw, weights = _Draw(train, classes, seed), class_weights(train.labels, classes)
    best = _validated(network, recipe, validation, classes, 0)
    for epoch in range(1, recipe.epochs + 1):
        loss = _epoch(network, recipe, draw, weights, optimiser, schedule)
        now = _validated(network, recipe, validation, classes, epoch)
        curve(epoch, {"loss": loss, "validation loss": now.loss, "validation top-1": now.top1})
        if now.loss < best.loss:
            best = replace(now, network=copy.deepcopy(network))
        elif epoch - best.epochs >= recipe.patience:
            break
    best.network.eval()
    return best


def _started(recipe: Recipe, train: Examples, classes: int) -> ClassifierNetwork:
    """A network that knows the spread of its descriptions and the middles of its classes."""
    config = ClassifierConfig(train.plain.shape[1], classes, recipe.hidden)
    network = ClassifierNetwork(config, dropout=recipe.dropout)
    own = train.labels < classes
    described = torch.from_numpy(train.plain[own])
    network.mean.copy_(described.mean(dim=0))
    network.deviation.copy_(described.std(dim=0) + SMALLEST_DEVIATION)
    place_middles(network, train)
    return network


@torch.no_grad()
def place_middles(network: ClassifierNetwork, train: Examples) -> None:
    """The middle of each class is where its training photos lie on average."""
    own = train.labels < network.config.classes
    units = functional.normalize(network.standardised(torch.from_numpy(train.plain[own])), dim=1)
    sums = torch.zeros_like(network.middles).index_add_(
        0, torch.from_numpy(train.labels[own]), units
    )
    network.middles.copy_(functional.normalize(sums, dim=1))


class _Draw:
    """Batches of photos, mirrored half of the time, with some of none of the classes among them."""

    def __init__(self, train: Examples, classes: int, seed: int) -> None:
        self.plain, self.mirrored = torch.from_numpy(train.plain), torch.from_numpy(train.mirrored)
        self.labels = torch.from_numpy(train.labels)
        self.own = torch.from_numpy(np.flatnonzero(train.labels < classes))
        self.others = torch.from_numpy(np.flatnonzero(train.labels == classes))
        self.chance = torch.Generator().manual_seed(seed)

    def batches(self) -> list[tuple[Tensor, Tensor]]:
        order = self.own[torch.randperm(len(self.own), generator=self.chance)]
        return [self._with_others(rows) for rows in order.split(BATCH)]

    def _with_others(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        if len(self.others):
            number = max(1, round(BACKGROUND_SHARE * len(rows)))
            some = torch.randint(len(self.others), (number,), generator=self.chance)
            rows = torch.cat([rows, self.others[some]])
        turned = torch.rand(len(rows), 1, generator=self.chance) < 0.5
        return torch.where(turned, self.mirrored[rows], self.plain[rows]), self.labels[rows]


def _epoch(
    network: ClassifierNetwork,
    recipe: Recipe,
    draw: _Draw,
    weights: Tensor,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
) -> float:
    """One pass over the photos of the classes; the mean loss."""
    network.train()
    losses = []
    for described, labels in draw.batches():
        loss = functional.cross_entropy(
            network(described), labels, weight=weights, label_smoothing=recipe.smoothing
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(float(loss.detach()))
    return float(np.mean(losses))


def class_weights(labels: Ints, classes: int) -> Tensor:
    """What rare classes lack in number they gain in weight; "none of them" counts as it is."""
    counts = np.bincount(labels[labels < classes], minlength=classes)
    weights = np.clip(counts.sum() / (classes * np.maximum(counts, 1)), *WEIGHTS)
    return torch.tensor([*weights, 1.0], dtype=torch.float32)


@torch.no_grad()
def _validated(
    network: ClassifierNetwork, recipe: Recipe, validation: Examples, classes: int, epoch: int
) -> Fitted:
    network.eval()
    logits = network(torch.from_numpy(validation.plain))
    labels = torch.from_numpy(validation.labels)
    loss = float(functional.cross_entropy(logits, labels, label_smoothing=recipe.smoothing))
    own = labels < classes
    right = logits[own, :-1].argmax(dim=1) == labels[own]
    return Fitted(network, recipe, float(right.float().mean()), loss, epoch)
