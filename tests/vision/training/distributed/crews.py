"""A small problem, and what may befall those who work on it."""

import os
import signal
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn, optim
from torch.nn import functional

from vision.training.distributed.backup import Outcome, Plan, flat, take_part
from vision.training.distributed.pieces import Pieces

PIECES = Pieces(rows=96, size=8, seed=3)


@dataclass(frozen=True, slots=True)
class Sums:
    """A network of two layers learns to add up numbers."""

    def build(self) -> nn.Module:
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1))

    def optimizer(self, model: nn.Module) -> optim.Optimizer:
        return optim.SGD(model.parameters(), lr=0.05, momentum=0.5)

    def loss(self, model: nn.Module, piece: int) -> Tensor:
        return self.loss_of(model, PIECES[piece])

    def loss_of(self, model: nn.Module, rows: np.ndarray) -> Tensor:
        numbers = torch.from_numpy(np.random.default_rng(1).normal(size=(PIECES.rows, 6))).float()
        return functional.mse_loss(model(numbers[rows])[:, 0], numbers[rows].sum(dim=1))


@dataclass(frozen=True, slots=True)
class Straggles:
    """One worker is slow at one step, or at every one with `step` None."""

    worker: int
    step: int | None
    seconds: float

    def __call__(self, worker: int, step: int) -> None:
        if worker == self.worker and self.step in (step, None):
            time.sleep(self.seconds)


@dataclass(frozen=True, slots=True)
class Dies:
    """Some workers are killed as if their machines lost power."""

    workers: tuple[int, ...]
    step: int

    def __call__(self, worker: int, step: int) -> None:
        if worker in self.workers and step >= self.step:
            os.kill(os.getpid(), signal.SIGKILL)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


Trained = tuple[Outcome, list[float]]


def train(plan: Plan, hindrance: Straggles | Dies) -> Trained | None:
    """What came of it, and the weights after the last step; of the first process."""
    last: list[float] = []

    def watch(step: int, seconds: float, model: nn.Module) -> None:
        last[:] = flat(model).tolist()

    outcome = take_part(Sums(), plan, watch=watch, hindrance=hindrance)
    return (outcome, last) if outcome else None


def in_large_batches(outcome: Outcome) -> list[float]:
    """The weights of one process that makes each step with all of its rows at once."""
    problem, model, optimizer = begun()
    for step in outcome.steps:
        optimizer.zero_grad()
        problem.loss_of(model, np.concatenate([PIECES[piece] for piece in step.pieces])).backward()
        optimizer.step()
    return flat(model).tolist()


def piece_by_piece(outcome: Outcome) -> list[float]:
    """The weights of one process that averages the gradients of each step's pieces."""
    problem, model, optimizer = begun()
    for step in outcome.steps:
        weights = list(model.parameters())
        each = [torch.autograd.grad(problem.loss(model, piece), weights) for piece in step.pieces]
        for weight, gradients in zip(weights, zip(*each, strict=True), strict=True):
            weight.grad = torch.stack(gradients).mean(dim=0)
        optimizer.step()
    return flat(model).tolist()


def begun() -> tuple[Sums, nn.Module, optim.Optimizer]:
    problem = Sums()
    model = problem.build()
    return problem, model, problem.optimizer(model)
