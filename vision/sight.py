"""What the Eye takes and gives: plain arrays and values, no torch."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

# An upright sRGB photo, (H, W, 3), 0 to 255.
Image = NDArray[np.uint8]

# Dimensions of the space that photos and texts share.
EMBED_DIM = 512

# What can be looked for in a photo.
EVERYTHING = frozenset({"embedding", "tags", "captions"})


@dataclass(frozen=True, slots=True)
class Sight:
    """What one model version sees in one photo.

    `embedding` is (512,) float32 of unit norm, in the space of `TextEncoder.encode`.
    `tags` are (name, probability) pairs, most probable first; often there is none.
    `caption` is English; `other_captions` has (caption, confidence) in further languages by their
    code ("de"), as far as the version speaks them. Confidences are between 0 and 1.
    """

    embedding: NDArray[np.float32]
    tags: list[tuple[str, float]]
    caption: str
    caption_confidence: float
    other_captions: dict[str, tuple[str, float]] = field(default_factory=dict)
