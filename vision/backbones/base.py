"""What every backbone gives to the heads."""

from dataclasses import dataclass, field, fields
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Features:
    """Everything the heads may read from one pass over B photos; all float32.

    Shapes: pooled (B, C), stride16 (B, C16), grid (B, G, G, Cg), logits (B, 1000 ImageNet classes).
    `pixels` are the photos themselves, (B, S, S, 3) uint8, when a head brings a network of its own;
    `embeddings` (B, 512) are what the embedding head made of them, for the heads after it.
    """

    pooled: NDArray[np.float32]
    stride16: NDArray[np.float32]
    grid: NDArray[np.float32]
    logits: NDArray[np.float32]
    pixels: NDArray[np.uint8] | None = field(default=None, kw_only=True)
    embeddings: NDArray[np.float32] | None = field(default=None, kw_only=True)

    def __len__(self) -> int:
        return len(self.pooled)

    def rows(self, start: int, stop: int) -> Self:
        """The features of some of the photos."""
        parts = {part.name: getattr(self, part.name) for part in fields(self)}
        rows = {name: part[start:stop] for name, part in parts.items() if part is not None}
        return type(self)(**rows)

    def replaced(self, rows: NDArray[np.integer], by: "Features") -> Self:
        """These features, but what `by` has for the photos of the numbers `rows`."""
        parts = {part.name: getattr(self, part.name) for part in fields(self)}
        for name, part in parts.items():
            if part is not None and getattr(by, name) is not None:
                parts[name] = part.copy()
                parts[name][rows] = getattr(by, name)
        return type(self)(**parts)


class Backbone(Protocol):
    """A frozen network that turns photos into features."""

    input_size: int

    def __call__(self, pixels_BHWC: NDArray[np.uint8]) -> Features:
        """Look at (B, input_size, input_size, 3) uint8 RGB photos."""
        ...
