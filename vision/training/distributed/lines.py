"""The two ends of a line between a coordinator and one of its workers.

Down it go weights and a task, up come a gradient and the task that it is of. Messages between two
processes are all that is sent: collectives would wait for everybody, and a worker that dies breaks
its own line and no other.
"""

from dataclasses import dataclass
from time import monotonic
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor

COORDINATOR = 0
OVER = -1  # the step of no task: the worker may go


class Task(NamedTuple):
    """A piece of the data whose gradient is wanted, by the weights of a step."""

    step: int
    piece: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The gradient of a task, flat, and the mean loss of its rows."""

    task: Task
    gradient: Tensor
    loss: float
    arrived_at: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line to `worker`, as the coordinator holds it."""

    worker: int

    def ask(self, task: Task, weights: Tensor) -> Answer:
        """Wait for the answer. Raises RuntimeError when the worker is gone."""
        dist.send(torch.tensor(task), self.worker)
        dist.send(weights, self.worker)
        own, answer = torch.empty(2, dtype=torch.long), torch.empty(len(weights) + 1)
        dist.recv(own, self.worker)
        dist.recv(answer, self.worker)
        step, piece = own.tolist()
        return Answer(Task(step, piece), answer[:-1], float(answer[-1]), monotonic())

    def end(self) -> None:
        dist.send(torch.tensor(Task(OVER, 0)), self.worker)


@dataclass(frozen=True, slots=True)
class WorkerLine:
    """The line to the coordinator, as a worker holds it."""

    def wait_for_task(self, weights: Tensor) -> Task | None:
        """The next task, with its weights written into `weights`; None when all is done."""
        asked = torch.empty(2, dtype=torch.long)
        dist.recv(asked, COORDINATOR)
        step, piece = asked.tolist()
        if step == OVER:
            return None
        dist.recv(weights, COORDINATOR)
        return Task(step, piece)

    def answer(self, task: Task, gradient: Tensor, loss: float) -> None:
        dist.send(torch.tensor(task), COORDINATOR)
        dist.send(torch.cat([gradient, torch.tensor([loss])]), COORDINATOR)


def open_lines() -> list[Line] | WorkerLine:
    """This process's ends of the default group's lines."""
    if dist.get_rank() == COORDINATOR:
        return [Line(worker) for worker in range(1, dist.get_world_size())]
    return WorkerLine()
