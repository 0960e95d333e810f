"""Why a photo matched: where on it the similarity to a query comes from.

The web process draws this, so nothing here may import torch: numpy and ONNX Runtime only.

The embedding head turns what is pooled over the cells of the feature grid into an embedding. So the
similarity's gradient by each pooled number, times what a cell gives to that number, says what the
cell gives to the similarity: for the linear part of the head that sums up exactly to the whole
(class activation maps, Zhou et al. 2016; Grad-CAM, Selvaraju et al. 2017). A generic text's map is
subtracted, for "a photo" likes the same places in every photo.
"""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from vision.adapters import open_adapters
from vision.cells import Head, Seen, open_head
from vision.errors import WeightsError
from vision.pixels import squash
from vision.sessions import open_session
from vision.sight import Image
from vision.versions import Version, open_version

Floats = NDArray[np.float32]

# From nothing over orange to yellow: readable over photos, and for people who see no green.
COLD, WARM, HOT = (120, 20, 110), (240, 110, 30), (255, 240, 120)
OPACITY = 0.75
FAINT = 0.25  # heat below this is not drawn at all, so that the rest of the photo stays as it is


class HeatMapper:
    """Draws heat maps with one model version. Build it with `load_heat_mapper`."""

    def __init__(self, version: Version, *, threads: int = 1) -> None:
        spec: dict[str, Any] = version.part("backbone")
        self.version = version.name
        self._head: Head = open_head(version)
        self._adapters = open_adapters(version, spec)
        if "onnx" not in spec:
            raise WeightsError(f"The backbone of {version.name} runs in torch; heat maps do not.")
        self.input_size: int = spec["input_size"]
        self._session = open_session(version.path(spec["onnx"]), threads=threads)

    def map(self, image: Image, embedding: Floats) -> Floats:
        """(G, G) float32 in 0..1: how much each cell of the photo speaks for the query.

        `image` is an upright (H, W, 3) uint8 photo of any size, `embedding` the query's (512,).
        The map lies over the photo squashed to a square. Raises BadImage.
        """
        pixels = squash(image, self.input_size)[None]
        names = ["pooled", "stride16", "grid", "logits"]
        parts = self._session.run(names, {"pixels": pixels})
        parts = self._adapters(tuple(parts)) if self._adapters else parts
        seen = Seen(*(part[0] for part in parts))
        return spread(self._head.shares(seen, embedding))


def load_heat_mapper(
    version_or_folder: str | Path | None = None, *, threads: int = 1
) -> HeatMapper:
    """Load what maps need of a version; None means the default version.

    Raises WeightsError when the version's embedding head cannot say where.
    """
    return HeatMapper(open_version(version_or_folder), threads=threads)


def spread(shares_GG: Floats) -> Floats:
    """Shares of any size to 0..1: 1 for the most, 0 for what is average or below."""
    above_GG = np.maximum(shares_GG - shares_GG.mean(), 0.0)
    most = float(above_GG.max())
    return (above_GG / most if most > 0 else above_GG).astype(np.float32)


def heat_png(heat_GG: Floats, *, size: tuple[int, int]) -> bytes:
    """A translucent PNG of (width, height) pixels to lay over the photo."""
    smooth = Pillow.fromarray(heat_GG.astype(np.float32)).resize(size, Pillow.Resampling.BICUBIC)
    heat_HW = np.clip(np.asarray(smooth), 0.0, 1.0)[:, :, None]
    cold, warm, hot = (np.array(colour, np.float32) for colour in (COLD, WARM, HOT))
    low, high = np.clip(heat_HW * 2, 0, 1), np.clip(heat_HW * 2 - 1, 0, 1)
    colour_HW3 = cold + (warm - cold) * low + (hot - warm) * high
    alpha_HW1 = 255 * OPACITY * np.clip((heat_HW - FAINT) / (1 - FAINT), 0, 1)
    rgba = np.concatenate([colour_HW3, alpha_HW1], axis=2).round().astype(np.uint8)
    buffer = io.BytesIO()
    Pillow.fromarray(rgba).save(buffer, "PNG")
    return buffer.getvalue()
