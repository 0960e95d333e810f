"""Where a training stands, so that an interrupted one goes on and reaches the same weights.

Randomness is a function of (seed, step), see `seed_step`, so a checkpoint needs no generator state
and says nothing of processes: a training may go on with more of them, or fewer.
"""

import hashlib
import io
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn, optim

from vision.errors import TrainingError
from vision.training.distributed.world import current_world

logger = logging.getLogger(__name__)

# Called with (steps done, steps in all, figures) now and then.
Progress = Callable[[int, int, dict[str, float]], None]


def silent(done: int, total: int, figures: dict[str, float]) -> None:
    """The progress callback of those who do not listen."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file with everything that a training changes; of several processes the first keeps it."""

    path: Path
    fingerprint: str

    def save(self, step: int, modules: dict[str, nn.Module], optimizer: optim.Optimizer) -> None:
        if not current_world().is_first:
            return
        state = {
            "fingerprint": self.fingerprint,
            "step": step,
            "modules": {name: module.state_dict() for name, module in modules.items()},
            "optimizer": optimizer.state_dict(),
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial")
        torch.save(state, partial)
        partial.rename(self.path)

    def resume(self, modules: dict[str, nn.Module], optimizer: optim.Optimizer) -> int:
        """Restore what was saved; the number of steps already done, 0 without a file.

        Raises TrainingError when the file belongs to another configuration or other data.
        """
        kept = self._kept()
        if kept is None:
            return 0
        state = torch.load(io.BytesIO(kept), weights_only=True, map_location="cpu")
        if state["fingerprint"] != self.fingerprint:
            raise TrainingError(
                f"{self.path} belongs to a training with other settings or data; delete it to "
                "start anew, or choose another output folder."
            )
        for name, module in modules.items():
            module.load_state_dict(state["modules"][name])
        optimizer.load_state_dict(state["optimizer"])
        logger.info("resumed path=%s step=%d", self.path.name, state["step"])
        return int(state["step"])

    def _kept(self) -> bytes | None:
        """The file of the first process: others may be on machines that do not share its disk."""
        world = current_world()
        own = self.path.read_bytes() if world.is_first and self.path.exists() else None
        return world.told(own)


def fingerprint(config: Any, *arrays: np.ndarray | torch.Tensor) -> str:
    """A hash of a configuration and of the data trained on."""
    digest = hashlib.sha256()
    digest.update(repr(sorted(asdict(config).items())).encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(np.asarray(array)).data)
    return digest.hexdigest()


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


@torch.no_grad()
def update_average(average: nn.Module, module: nn.Module, *, decay: float, step: int) -> None:
    """Exponential moving average of weights; young averages forget faster."""
    decay = min(decay, (step + 1) / (step + 10))
    for mean, value in zip(average.parameters(), module.parameters(), strict=True):
        mean.lerp_(value, 1 - decay)
