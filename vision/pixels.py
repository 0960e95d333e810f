"""From a decoded photo to the square that a backbone looks at."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from vision.errors import BadImage
from vision.sight import Image


def squash(image: Image, size: int) -> Image:
    """Resize to `size` x `size` without cropping; the aspect ratio is given up.

    The training photos are squashed, so the product squashes too: a centre crop would show the
    network a geometry it was not trained on, and cut off what people search for at the edges.
    """
    check_image(image)
    if image.shape[:2] == (size, size):
        return image
    picture = Pillow.fromarray(np.ascontiguousarray(image))
    return np.asarray(picture.resize((size, size), Pillow.Resampling.BICUBIC, reducing_gap=2.0))


def squash_batch(images: Sequence[Image], size: int) -> NDArray[np.uint8]:
    """Stack squashed photos: (n, size, size, 3) uint8."""
    batch = np.empty((len(images), size, size, 3), dtype=np.uint8)
    for row, image in zip(batch, images, strict=True):
        row[:] = squash(image, size)
    return batch


def check_image(image: Image) -> None:
    """Raise BadImage unless the array is (H, W, 3) uint8 with at least one pixel."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        raise BadImage("A photo must be a uint8 array; decode it with vision.decoding first.")
    if image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise BadImage(f"A photo must have the shape (height, width, 3), not {image.shape}.")
