"""A backbone exported to ONNX, run by ONNX Runtime on the CPU."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision.backbones.base import Features
from vision.sessions import open_session

# Photos a run. Above 16 the activations of the first layers fall out of the cache.
MICRO_BATCH = 16


class OnnxBackbone:
    """Runs `pixels` -> pooled, stride16, grid, logits."""

    def __init__(self, path: Path, *, input_size: int, threads: int = 0) -> None:
        """`threads` 0 lets ONNX Runtime use every core. Raises WeightsError."""
        self.input_size = input_size
        self._session = open_session(path, threads=threads)

    def __call__(self, pixels_BHWC: NDArray[np.uint8]) -> Features:
        starts = range(0, len(pixels_BHWC), MICRO_BATCH)
        runs = [self._run(pixels_BHWC[start : start + MICRO_BATCH]) for start in starts]
        return Features(*(np.concatenate(parts) for parts in zip(*runs, strict=True)))

    def _run(self, pixels_BHWC: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        outputs = ["pooled", "stride16", "grid", "logits"]
        return self._session.run(outputs, {"pixels": pixels_BHWC})
