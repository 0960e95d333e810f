"""Where a training stands, so that an interrupted one goes on and reaches the same weights.

Randomness is a function of (seed, step), see `steps.seed_step`, so a checkpoint needs no generator
state and says nothing of processes: a training may go on with more of them, or fewer.
"""

import hashlib
import io
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn, optim

from vision.errors import TrainingError
from vision.training.distributed.world import current_world

logger = logging.getLogger(__name__)


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
