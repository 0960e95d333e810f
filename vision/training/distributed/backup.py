"""Synchronous training that does not wait for stragglers.

N + b workers compute gradients of one model; each step averages the first N that arrive, and
applies them. A gradient that comes later is of weights that are no more: it is recognised by the
number of its step and thrown away, its piece of the data is dealt out again, and its worker goes on
with the newest weights. A worker that dies is done without while N are left. Source: Chen et al.
2016, "Revisiting Distributed Synchronous SGD" (arXiv:1604.00981).

With b = 0 this is plain synchronous training. Taking each gradient as it comes, however old its
weights are, is asynchronous training: the two that backup workers are compared with.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from threading import Thread
from time import monotonic
from typing import Protocol

import torch
from torch import Tensor, nn, optim
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from vision.errors import TrainingError
from vision.training.distributed.lines import Answer, Line, Task, WorkerLine, open_lines
from vision.training.distributed.pieces import Deck

logger = logging.getLogger(__name__)


class Problem(Protocol):
    """What is learnt. Every process has its own, made from the same values."""

    def build(self) -> nn.Module:
        """The model as it begins."""

    def optimizer(self, model: nn.Module) -> optim.Optimizer:
        """What applies averaged gradients."""

    def loss(self, model: nn.Module, piece: int) -> Tensor:
        """The mean loss over a piece of the data."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How gradients become steps. `take` is N; `patience_s` how long nobody may be heard of."""

    steps: int
    take: int
    takes_stale: bool = False  # asynchronous, with take=1
    patience_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Step:
    """One step as it came about: enough to repeat it in one process."""

    seconds: float  # since the first task was dealt
    pieces: tuple[int, ...]
    staleness: tuple[int, ...]  # steps between a gradient's weights and those it was applied to
    loss: float


@dataclass(slots=True)
class Outcome:
    """What came of a training. `unfinished` are pieces that were dealt and that no step has had."""

    steps: list[Step] = field(default_factory=list)
    dropped: int = 0
    lost_workers: list[int] = field(default_factory=list)
    unfinished: list[int] = field(default_factory=list)


Watch = Callable[[int, float, nn.Module], None]  # (steps done, seconds, model)
Hindrance = Callable[[int, int], None]  # (worker, step): what keeps a worker from its work


def no_hindrance(worker: int, step: int) -> None:
    """Nothing keeps it."""


def take_part(
    problem: Problem,
    plan: Plan,
    *,
    watch: Watch | None = None,
    hindrance: Hindrance = no_hindrance,
) -> Outcome | None:
    """Train with all processes of the default group: the first coordinates, others compute.

    The outcome in the first process, None in others. Raises TrainingError in the first when fewer
    than N workers are left, or nobody is heard of for too long.
    """
    lines = open_lines()
    if isinstance(lines, WorkerLine):
        compute(problem, lines, hindrance)
        return None
    return Coordinator(problem, plan, lines, watch=watch).run()


def compute(problem: Problem, line: WorkerLine, hindrance: Hindrance) -> None:
    """Answer tasks until there are no more."""
    model, worker = problem.build(), torch.distributed.get_rank()
    weights = flat(model)
    while (task := line.wait_for_task(weights)) is not None:
        hindrance(worker, task.step)
        vector_to_parameters(weights, model.parameters())
        loss = problem.loss(model, task.piece)
        gradient = torch.autograd.grad(loss, list(model.parameters()))
        line.answer(task, parameters_to_vector(gradient), loss.item())


class Coordinator:
    """Keeps the weights, deals tasks and makes steps of the answers."""

    def __init__(
        self, problem: Problem, plan: Plan, lines: Sequence[Line], *, watch: Watch | None = None
    ) -> None:
        self.plan, self.watch = plan, watch
        self.lines = {line.worker: line for line in lines}
        self.model = problem.build()
        self.optimizer = problem.optimizer(self.model)
        self.weights = flat(self.model)
        self.deck, self.outcome = Deck(), Outcome()
        self._asked: dict[Future[Answer], tuple[int, Task]] = {}
        self._fresh: dict[int, Answer] = {}  # by worker, of the step in the making
        self._began_at = 0.0

    @property
    def step(self) -> int:
        return len(self.outcome.steps)

    def run(self) -> Outcome:
        self._need_enough()
        self._began_at = monotonic()
        while self.step < self.plan.steps:
            self._deal()
            for answered in self._heard():
                if self.step < self.plan.steps:
                    self._take(answered)
        self._dismiss()
        return self.outcome

    def _deal(self) -> None:
        """A task with the newest weights for each worker that has nothing to do or to wait for."""
        busy = {worker for worker, _ in self._asked.values()} | self._fresh.keys()
        for worker in self.lines.keys() - busy:
            task = Task(self.step, self.deck.deal())
            future = _answer_of(self.lines[worker], task, self.weights)
            self._asked[future] = worker, task

    def _heard(self) -> list[Future[Answer]]:
        """Those who answered or died, in the order in which they did."""
        done, _ = wait(self._asked, self.plan.patience_s, return_when=FIRST_COMPLETED)
        if not done:
            raise TrainingError(
                f"No worker was heard of for {self.plan.patience_s:g} seconds at step {self.step}. "
                "The training was ended."
            )
        return sorted(done, key=_arrived_at)

    def _take(self, answered: Future[Answer]) -> None:
        worker, task = self._asked.pop(answered)
        if _is_lost(answered):
            self._do_without(worker, task)
        elif self.plan.takes_stale or task.step == self.step:
            self._fresh[worker] = answered.result()
        else:
            self.outcome.dropped += 1
            self.deck.give_back(task.piece)
        if len(self._fresh) == self.plan.take:
            self._make_step()

    def _do_without(self, worker: int, task: Task) -> None:
        logger.warning("lost worker=%d step=%d", worker, self.step)
        self.outcome.lost_workers.append(worker)
        self.deck.give_back(task.piece)
        del self.lines[worker]
        self._need_enough()

    def _need_enough(self) -> None:
        if len(self.lines) < self.plan.take:
            raise TrainingError(
                f"{len(self.lines)} workers are there, and each step needs the gradients of "
                f"{self.plan.take}. The training was ended at step {self.step}."
            )

    def _make_step(self) -> None:
        """Apply the mean of exactly N gradients; added in the order of their pieces, so that
        it does not depend on who was first."""
        answers = sorted(self._fresh.values(), key=lambda answer: answer.task.piece)
        self._fresh.clear()
        _set_gradient(self.model, torch.stack([each.gradient for each in answers]).mean(dim=0))
        self.optimizer.step()
        self.weights = flat(self.model)
        made = Step(
            seconds=monotonic() - self._began_at,
            pieces=tuple(each.task.piece for each in answers),
            staleness=tuple(self.step - each.task.step for each in answers),
            loss=sum(each.loss for each in answers) / len(answers),
        )
        self.outcome.steps.append(made)
        if self.watch:
            self.watch(self.step, made.seconds, self.model)

    def _dismiss(self) -> None:
        """Wait for those who are still busy, without taking what they have, and let all go."""
        in_hand = [task.piece for _, task in self._asked.values()]
        self.outcome.unfinished = sorted([*in_hand, *self.deck.given_back])
        wait(self._asked, self.plan.patience_s)
        for future, (worker, _) in self._asked.items():
            if not future.done() or _is_lost(future):
                del self.lines[worker]
        for line in self.lines.values():
            line.end()


def flat(model: nn.Module) -> Tensor:
    """A copy of all weights, one after the other."""
    return parameters_to_vector(model.parameters()).detach().clone()


def _answer_of(line: Line, task: Task, weights: Tensor) -> Future[Answer]:
    """Asked for in a thread of its own, for which nobody has to wait, not even the end of the
    process."""
    future: Future[Answer] = Future()

    def ask() -> None:
        try:
            future.set_result(line.ask(task, weights))
        except Exception as error:  # whoever looks at the future sees it
            future.set_exception(error)

    Thread(target=ask, daemon=True).start()
    return future


def _set_gradient(model: nn.Module, gradient: Tensor) -> None:
    parameters = list(model.parameters())
    parts = gradient.split([each.numel() for each in parameters])
    for each, part in zip(parameters, parts, strict=True):
        each.grad = part.view_as(each)


def _arrived_at(answered: Future[Answer]) -> float:
    """The dead come first: nobody should wait for them."""
    return 0.0 if _is_lost(answered) else answered.result().arrived_at


def _is_lost(answered: Future[Answer]) -> bool:
    """Whether the line broke; torch.distributed says so with a RuntimeError."""
    return isinstance(answered.exception(), RuntimeError)
