"""The two ends of a line between a coordinator and one of its workers.

Each line is a process group of the two, so that a worker that dies takes down its own line and no
other. Down it go weights and a task, up come a gradient and the task that it is of.
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
    group: dist.ProcessGroup

    def ask(self, task: Task, weights: Tensor) -> Answer:
        """Wait for the answer. Raises RuntimeError when the worker is gone."""
        dist.send(torch.tensor(task), self.worker, group=self.group)
        dist.send(weights, self.worker, group=self.group)
        own, answer = torch.empty(2, dtype=torch.long), torch.empty(len(weights) + 1)
        dist.recv(own, self.worker, group=self.group)
        dist.recv(answer, self.worker, group=self.group)
        step, piece = own.tolist()
        return Answer(Task(step, piece), answer[:-1], float(answer[-1]), monotonic())

    def end(self) -> None:
        dist.send(torch.tensor(Task(OVER, 0)), self.worker, group=self.group)


@dataclass(frozen=True, slots=True)
class WorkerLine:
    """The line to the coordinator, as a worker holds it."""

    group: dist.ProcessGroup

    def wait_for_task(self, weights: Tensor) -> Task | None:
        """The next task, with its weights written into `weights`; None when all is done."""
        asked = torch.empty(2, dtype=torch.long)
        dist.recv(asked, COORDINATOR, group=self.group)
        step, piece = asked.tolist()
        if step == OVER:
            return None
        dist.recv(weights, COORDINATOR, group=self.group)
        return Task(step, piece)

    def answer(self, task: Task, gradient: Tensor, loss: float) -> None:
        dist.send(torch.tensor(task), COORDINATOR, group=self.group)
        dist.send(torch.cat([gradient, torch.tensor([loss])]), COORDINATOR, group=self.group)


def open_lines() -> list[Line] | WorkerLine:
    """This process's ends; every process of the default group must call it."""
    rank = dist.get_rank()
    groups = [dist.new_group([COORDINATOR, worker]) for worker in range(1, dist.get_world_size())]
    if rank == COORDINATOR:
        return [Line(worker, group) for worker, group in enumerate(groups, start=1)]
    return WorkerLine(groups[rank - 1])
