"""A backbone in torch: bfloat16, channels-last and large batches on a GPU, float32 elsewhere."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vision.backbones.base import Features

# Photos a pass. A GPU wants many at once; a CPU's cache wants few.
GPU_BATCH, CPU_BATCH = 256, 16


class TorchBackbone:
    """Runs a network from `pixels` to pooled, stride16, grid, logits.

    Heads are trained on what int8 sees. Both float32 and bfloat16 lie closer to each other than to
    int8, so bfloat16's speed costs nothing more.
    """

    def __init__(
        self, network: nn.Module, *, input_size: int, device: str, half: bool | None = None
    ) -> None:
        """`half` None takes bfloat16 on a GPU only."""
        self.device = device
        self.input_size = input_size
        on_gpu = torch.device(device).type != "cpu"
        self.half = on_gpu if half is None else half
        self.batch = GPU_BATCH if on_gpu else CPU_BATCH
        network = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network: nn.Module = network.eval()

    def __call__(self, pixels_BHWC: NDArray[np.uint8]) -> Features:
        starts = range(0, len(pixels_BHWC), self.batch)
        runs = [self._run(pixels_BHWC[start : start + self.batch]) for start in starts]
        return Features(*(np.concatenate(parts) for parts in zip(*runs, strict=True)))

    def _run(self, pixels_BHWC: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        kind = torch.device(self.device).type
        pixels = torch.from_numpy(np.ascontiguousarray(pixels_BHWC)).to(self.device)
        with (
            torch.inference_mode(),
            torch.autocast(kind, torch.bfloat16, enabled=self.half),
        ):
            parts = self.network(pixels)
        return [part.float().cpu().numpy() for part in parts]
