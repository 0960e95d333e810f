"""Photos for benchmarks, drawn so that decoding them costs what a camera's photos cost.

Natural scenes have about equal energy in every octave of detail, so a scene here is noise summed
over octaves, with a few sharp-edged objects and a sensor's grain on top. At quality 90 a
12-megapixel photo comes out at 3 to 5 MB, as from a phone.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIZE = (4000, 3000)  # 12 megapixels
COARSEST = 6  # cells across the coarsest octave
OCTAVES = 8
GRAIN = 24  # the sensor's noise, from darkest to brightest, of 255


def write_photo(path: Path, *, seed: int, size: tuple[int, int] = SIZE) -> Path:
    """One JPEG; the same `seed` gives the same photo."""
    rng = np.random.default_rng(seed)
    scene = _scene(rng, size)
    _draw_objects(scene, rng)
    grain = rng.integers(0, GRAIN, (size[1], size[0], 1), dtype=np.uint8)
    photo = Image.fromarray(np.maximum(np.asarray(scene), GRAIN) - grain)
    photo.save(path, "JPEG", quality=90)
    return path


def _scene(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Octaves of noise, each half as strong as the one that is twice as coarse."""
    small = (size[0] // 4, size[1] // 4)  # finer detail than this is left to the grain
    total = np.zeros((small[1], small[0], 3), np.float32)
    for octave in range(OCTAVES):
        cells = COARSEST * 2**octave
        coarse = rng.integers(0, 256, (cells * 3 // 4, cells, 3), dtype=np.uint8)
        fine = Image.fromarray(coarse).resize(small, Image.Resampling.BICUBIC)
        total += np.asarray(fine, np.float32) * 0.5 ** (octave + 1)
    stretched = np.clip((total - 128.0) * 1.6 + 128.0, 0, 255).astype(np.uint8)
    return Image.fromarray(stretched).resize(size, Image.Resampling.BICUBIC)


def _draw_objects(scene: Image.Image, rng: np.random.Generator) -> None:
    pen = ImageDraw.Draw(scene)
    for _ in range(12):
        left, top = rng.integers(0, scene.width), rng.integers(0, scene.height)
        width, height = rng.integers(100, 900, 2)
        colour = tuple(int(value) for value in rng.integers(0, 256, 3))
        pen.ellipse((int(left), int(top), int(left + width), int(top + height)), fill=colour)
