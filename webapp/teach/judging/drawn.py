"""Pictures to look at where there are no photos: the same each time."""

import numpy as np

from vision.sight import Image

PICTURES = 16


def drawn_pictures(size: int) -> list[Image]:
    """Gradients with patches, (size, size, 3), no two alike."""
    chance = np.random.default_rng(0)
    slope = np.linspace(0.0, 1.0, size)[None, :, None]
    pictures = []
    for number in range(PICTURES):
        one, other, patch = chance.integers(0, 256, (3, 3))
        picture = np.broadcast_to(one * (1 - slope) + other * slope, (size, size, 3)).copy()
        side = size // 4 + number * size // 64
        picture[side : 2 * side, side : 2 * side] = patch
        pictures.append(picture.astype(np.uint8))
    return pictures
