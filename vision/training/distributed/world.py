"""The processes that train together, as torchrun starts them: one training, one batch, one loss.

Every process draws the whole batch of a step and runs the networks on its part of the rows. What
came out is gathered, so each computes *the loss of the whole batch*, which a contrast among all
rows needs anyway. Its gradient reaches a process through its own rows alone, so it is taken times
the number of processes; DistributedDataParallel's mean over the processes is then the gradient
that one process would have had. Source: the gathered loss of CLIP, as in open_clip's `loss.py`.

Without torchrun there is one process, and all of this does nothing.
"""

import gc
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn.parallel import DistributedDataParallel

from vision.errors import TrainingError

logger = logging.getLogger(__name__)

# Others wait while the first of a machine looks at all photos. A process that dies is noticed by
# torchrun at once, so nobody depends on this limit.
PATIENCE = timedelta(hours=12)

CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class World:
    """Which of how many processes this is; `local_*` counts those of this machine."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1
    device: torch.device = CPU

    @property
    def is_first(self) -> bool:
        """Whether this process keeps checkpoints, tells progress and writes the version."""
        return self.rank == 0

    def part(self, count: int, *, least: int = 0) -> slice:
        """Which of `count` rows are this process's; shares differ by a row at most.

        Raises TrainingError where some process would have fewer than `least`.
        """
        if count < least * self.size:
            raise TrainingError(
                f"A batch of {count} cannot be shared among {self.size} processes. Start fewer."
            )
        bounds = self._bounds(count)
        return slice(bounds[self.rank], bounds[self.rank + 1])

    def gathered(self, own: Tensor, count: int) -> Tensor:
        """All `count` rows of which `own` is this process's `part`, with gradients for `own`."""
        if self.size == 1:
            return own
        counts = [end - start for start, end in pairwise(self._bounds(count))]
        rows: Tensor = _Gathered.apply(own, counts, self)
        return rows

    def summed(self, own: Tensor) -> Tensor:
        """The sum over all processes, with gradients for `own`."""
        if self.size == 1:
            return own
        total: Tensor = _Summed.apply(own, self.size)
        return total

    def together(
        self, model: nn.Module, loss: Callable[..., Any], *, is_partial: bool = False
    ) -> Callable[..., Any]:
        """`loss` as a function whose backward pass averages the gradients of `model`.

        Keep the function as long as there are steps. It may return figures beside the loss.
        `is_partial`: a step may leave weights out.
        """
        if self.size == 1:
            return loss
        return DistributedDataParallel(
            _Objective(model, loss), forward_sync_buffers=False, find_unused_parameters=is_partial
        )

    def told(self, content: bytes | None) -> bytes | None:
        """What the first process has; the others' own is left aside."""
        if self.size == 1:
            return content
        length = torch.tensor([-1 if content is None else len(content)], device=self.device)
        dist.broadcast(length, src=0)
        if length.item() < 0:
            return None
        told = torch.empty(int(length.item()), dtype=torch.uint8, device=self.device)
        if self.is_first:
            told.copy_(torch.frombuffer(bytearray(content or b""), dtype=torch.uint8))
        dist.broadcast(told, src=0)
        return told.cpu().numpy().tobytes()

    @contextmanager
    def one_by_one(self) -> Iterator[None]:
        """The processes of a machine do this one after the other: what the first made and kept,
        the others find. Each machine has as many processes as the next."""
        for _ in range(self.local_rank):
            self._meet()
        yield
        for _ in range(self.local_size - self.local_rank):
            self._meet()

    def _meet(self) -> None:
        if self.size > 1:
            dist.barrier()

    def _bounds(self, count: int) -> list[int]:
        return [count * rank // self.size for rank in range(self.size + 1)]


_here = World()


def current_world() -> World:
    """The world of this process: of one, unless `joined` is under way."""
    return _here


@contextmanager
def joined() -> Iterator[World]:
    """Join the processes that torchrun started, as its environment says; alone without it.

    With GPUs each process takes the one of its number and NCCL carries the gradients, else gloo.
    """
    global _here
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        yield _here
        return
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    device = choose_device(local_rank)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    _here = World(
        rank=dist.get_rank(),
        size=dist.get_world_size(),
        local_rank=local_rank,
        local_size=int(os.environ.get("LOCAL_WORLD_SIZE", "1")),
        device=device,
    )
    logger.info("joined rank=%d size=%d device=%s", _here.rank, _here.size, device)
    try:
        yield _here
        dist.barrier()  # whoever leaves first takes its threads away from the others
    finally:
        _here = World()
        gc.collect()  # what still holds on to the group would end it later, out of order
        dist.destroy_process_group()


def choose_device(local_rank: int) -> torch.device:
    """A GPU of its own, if the machine has one for this process."""
    if local_rank < torch.cuda.device_count():
        return torch.device("cuda", local_rank)
    return CPU


class _Objective(nn.Module):
    """A loss as a module, since DistributedDataParallel watches `forward` alone."""

    def __init__(self, model: nn.Module, loss: Callable[..., Any]) -> None:
        super().__init__()
        self.model = model
        self.loss = loss

    def forward(self, *given: Any) -> Any:
        return self.loss(*given)


class _Gathered(torch.autograd.Function):
    """Rows of all processes. All of them compute the same loss from what is gathered, so the
    gradient of the own rows is known here, without asking the others."""

    @staticmethod
    def forward(ctx: FunctionCtx, own: Tensor, counts: list[int], world: World) -> Tensor:
        ctx.world, ctx.count = world, sum(counts)  # type: ignore[attr-defined]
        padded = own.new_zeros(max(counts), *own.shape[1:])
        padded[: len(own)] = own
        parts = [torch.empty_like(padded) for _ in counts]
        dist.all_gather(parts, padded)
        return torch.cat([part[:count] for part, count in zip(parts, counts, strict=True)])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        return gradient[ctx.world.part(ctx.count)] * ctx.world.size, None, None


class _Summed(torch.autograd.Function):
    """A sum over all processes, as `_Gathered`."""

    @staticmethod
    def forward(ctx: FunctionCtx, own: Tensor, size: int) -> Tensor:
        ctx.size = size  # type: ignore[attr-defined]
        total = own.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,) = gradients
        return gradient * ctx.size, None
