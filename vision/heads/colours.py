"""Colours of the scene, from its pixels alone: nothing to learn, nothing to guess.

A photo is red when red covers much of it. Shares and limits were set by looking at photos; a person
who asks for red photos means the whole, not a red shirt.
"""

import numpy as np
from numpy.typing import NDArray

# Side of the photo that is counted.
SIDE = 32
# Hue in turns at which each colour begins; red is around 0 and wraps.
HUES = {
    "red": (0.955, 0.03),
    "yellow": (0.115, 0.185),
    "green": (0.185, 0.44),
    "blue": (0.5, 0.69),
    "purple": (0.7, 0.83),
    "pink": (0.84, 0.955),
}
# Share of the photo from which a colour is the scene's: half as sure at this share.
COVERS = {"red": 0.4, "yellow": 0.4, "green": 0.5, "blue": 0.5, "purple": 0.3, "pink": 0.3}
SATURATED, LIT = 0.3, 0.2
# How fast certainty rises with the share.
SLOPE = 40.0
COLOURS = (*HUES, "white", "black and white", "dark", "bright")


def colour_probabilities(pixels_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How surely each of COLOURS is the photo's, (B, len(COLOURS))."""
    step = max(1, pixels_BHWC.shape[1] // SIDE)
    rgb = pixels_BHWC[:, ::step, ::step].astype(np.float32) / np.float32(255)
    value, chroma = rgb.max(axis=-1), rgb.max(axis=-1) - rgb.min(axis=-1)
    saturation = chroma / np.maximum(value, 1e-3)
    hue = _hue(rgb, value, chroma)
    vivid = (saturation >= SATURATED) & (value >= LIT)
    sure = [
        _sure((vivid & _between(hue, *HUES[name])).mean(axis=(1, 2)), COVERS[name]) for name in HUES
    ]
    light = rgb.mean(axis=-1)
    white = ((value >= 0.8) & (saturation <= 0.12)).mean(axis=(1, 2))
    sure.append(_sure(white, 0.6))
    # Scans of black-and-white photos have a tint, but the same one everywhere.
    grey = (chroma <= 0.06).mean(axis=(1, 2)) - (light.std(axis=(1, 2)) < 0.08)
    sure.append(_sure(grey, 0.98, slope=300.0))
    sure.append(_sure(-light.mean(axis=(1, 2)), -0.18, slope=60.0))
    sure.append(_sure(light.mean(axis=(1, 2)), 0.78, slope=60.0))
    return np.stack(sure, axis=1).astype(np.float32)


def _sure(share: NDArray[np.float32], half: float, slope: float = SLOPE) -> NDArray[np.float32]:
    return 1 / (1 + np.exp(np.clip(-slope * (share - half), -30, 30)))


def _between(hue: NDArray[np.float32], start: float, end: float) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (
        (hue >= start) & (hue < end) if start < end else (hue >= start) | (hue < end)
    )
    return inside


def _hue(
    rgb: NDArray[np.float32], value: NDArray[np.float32], chroma: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Hue in turns, 0 for grey."""
    red, green, blue = np.moveaxis(rgb, -1, 0)
    safe = np.maximum(chroma, 1e-6)
    sixths = np.select(
        [value == red, value == green],
        [((green - blue) / safe) % 6, (blue - red) / safe + 2],
        (red - green) / safe + 4,
    )
    return np.where(chroma > 0, sixths / 6 % 1.0, 0.0).astype(np.float32)
