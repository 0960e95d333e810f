"""One step of a training after another: its randomness, its rate, its way down, and who is told."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn, optim

from vision.training.distributed.world import current_world

# Called with (steps done, steps in all, figures) now and then.
Progress = Callable[[int, int, dict[str, float]], None]


def silent(done: int, total: int, figures: dict[str, float]) -> None:
    """The progress callback of those who do not listen."""


def seed_step(seed: int, step: int) -> np.random.Generator:
    """Make torch's randomness (dropout) and the returned generator depend on the step alone.

    Of several processes each has dropout of its own and the same generator: they draw one batch.
    """
    rng = np.random.default_rng([seed, step])
    torch.manual_seed(int(rng.integers(2**62)) + current_world().rank)
    return rng


def learning_rate(step: int, total: int, *, peak: float, warmup: int) -> float:
    """Linear warm-up, then cosine decay to nothing."""
    if step < warmup:
        return peak * (step + 1) / warmup
    through = (step - warmup) / max(1, total - warmup)
    return peak * 0.5 * (1 + float(np.cos(np.pi * through)))


def plateau(step: int, total: int, *, warmup: int, decay_from: float) -> float:
    """Share of a peak rate: linear warm-up, plateau, from the share `decay_from` of the steps on a
    straight fall to nothing."""
    warm = min(1.0, (step + 1) / warmup)
    start = decay_from * total
    return warm * min(1.0, max(0.0, (total - step) / (total - start)))


def descend(
    loss: Tensor, optimizer: optim.Optimizer, *, rate: float, longest: float | None = None
) -> None:
    """Go down the gradient of `loss` at `rate`, with a gradient no longer than `longest`."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad()
    loss.backward()
    if longest is not None:
        parameters = [each for group in optimizer.param_groups for each in group["params"]]
        nn.utils.clip_grad_norm_(parameters, longest)
    optimizer.step()


@torch.no_grad()
def update_average(average: nn.Module, module: nn.Module, *, decay: float, step: int) -> None:
    """Exponential moving average of weights; young averages forget faster."""
    decay = min(decay, (step + 1) / (step + 10))
    for mean, value in zip(average.parameters(), module.parameters(), strict=True):
        mean.lerp_(value, 1 - decay)
