"""What `benchmark sync-sgd` trains, and what delays its workers. Loads torch.

A network of one hidden layer learns which of the vocabulary's groups (animals, food, places, …) a
phrase is of, by the embedding that the shipped text encoder gives it.
"""

import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn, optim
from torch.nn import functional

from vision.training.distributed.backup import Plan, flat, take_part
from vision.training.distributed.pieces import Pieces

HIDDEN = 32


@dataclass(frozen=True)
class Groups:
    """Phrases of a file of `embeddings` (rows, 512) and the number of each one's group."""

    file: Path
    batch: int  # rows of one gradient
    rate: float
    momentum: float
    seed: int

    @cached_property
    def rows(self) -> tuple[Tensor, Tensor]:
        with np.load(self.file) as kept:
            scaled = kept["embeddings"] * kept["embeddings"].shape[1] ** 0.5
            return torch.from_numpy(scaled), torch.from_numpy(kept["groups"])

    @cached_property
    def pieces(self) -> Pieces:
        return Pieces(len(self.rows[0]), self.batch, self.seed)

    def build(self) -> nn.Module:
        torch.manual_seed(self.seed)
        embeddings, groups = self.rows
        return nn.Sequential(
            nn.Linear(embeddings.shape[1], HIDDEN),
            nn.GELU(),
            nn.Linear(HIDDEN, int(groups.max()) + 1),
        )

    def optimizer(self, model: nn.Module) -> optim.Optimizer:
        return optim.SGD(model.parameters(), lr=self.rate, momentum=self.momentum)

    def loss(self, model: nn.Module, piece: int) -> Tensor:
        embeddings, groups = self.rows
        rows = self.pieces[piece]
        return functional.cross_entropy(model(embeddings[rows]), groups[rows])

    def loss_of_all(self, model: nn.Module) -> float:
        embeddings, groups = self.rows
        with torch.inference_mode():
            return functional.cross_entropy(model(embeddings), groups).item()


@dataclass(frozen=True, slots=True)
class Delays:
    """In a `share` of the steps one of the workers, chosen at random, sleeps before it computes."""

    share: float
    seconds: float
    workers: int
    seed: int

    def __call__(self, worker: int, step: int) -> None:
        rng = np.random.default_rng([self.seed, step])
        if rng.random() < self.share and worker == 1 + rng.integers(self.workers):
            time.sleep(self.seconds)


def measure(problem: Groups, plan: Plan, delays: Delays, every: int) -> dict[str, Any] | None:
    """The loss of all rows every so many steps, judged when the clock has stopped."""
    kept: list[tuple[int, float, Tensor]] = []

    def watch(step: int, seconds: float, model: nn.Module) -> None:
        if step % every == 0:
            kept.append((step, seconds, flat(model)))

    outcome = take_part(problem, plan, watch=watch, hindrance=delays)
    if outcome is None:
        return None
    model, curve = problem.build(), []
    for step, seconds, weights in kept:
        nn.utils.vector_to_parameters(weights, model.parameters())
        curve.append((step, seconds, problem.loss_of_all(model)))
    stale = [late for step in outcome.steps for late in step.staleness]
    return {
        "curve": curve,
        "seconds": outcome.steps[-1].seconds,
        "dropped": outcome.dropped,
        "staleness": sum(stale) / len(stale),
    }
