"""Probabilities out of logits, with numpy alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def softmax(logits_BC: NDArray[Any], temperature: float = 1.0) -> NDArray[np.float32]:
    """Probabilities along the last axis; a temperature above 1 makes them more alike."""
    scaled = logits_BC.astype(np.float32) / np.float32(temperature)
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
