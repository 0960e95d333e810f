"""RapidOCR as this project uses it: three networks that lie in its wheel, and nothing downloaded.

A detector finds lines on the photo made smaller, a classifier turns those that stand on their head,
a recogniser reads each line from the photo as it is. Finding takes most of the time and most photos
have no text, so a first glance at an even smaller photo asks whether there may be any.

What it reads is what anybody may have written into a photo: hostile text, to be escaped wherever it
is shown.
"""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from vision.errors import BadImage, WeightsError
from vision.sessions import open_session
from vision.sight import Image

if TYPE_CHECKING:
    from rapidocr import RapidOCR

# In the folder `models` of the package `rapidocr`.
DETECTOR: Final = "PP-OCRv6_det_small.onnx"
CLASSIFIER: Final = "ch_ppocr_mobile_v2.0_cls_mobile.onnx"
RECOGNISER: Final = "PP-OCRv6_rec_small.onnx"

GLANCE_SIDE: Final = 448  # pixels of the long side at first glance
GLANCE_LEAST: Final = 0.2  # heat of the warmest pixel from which there may be text
FIND_SIDE: Final = 640  # pixels of the long side on which lines are found
MIN_CONFIDENCE: Final = 0.7
MAX_LINES: Final = 200
MULTIPLE: Final = 32  # the detector takes sides that are multiples of it


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text. `box`: left, top, width, height as shares of the photo, 0 to 1."""

    text: str
    confidence: float
    box: tuple[float, float, float, float]


class Reader:
    """Reads photos. Build it with `load_reader`; one thread at a time."""

    def __init__(self, *, threads: int = 1) -> None:
        self._glancer = open_session(model_path(DETECTOR), threads=threads)
        self._glancer_input: str = self._glancer.get_inputs()[0].name
        self._engine = _engine(threads)

    def read(self, image: Image) -> list[Line]:
        """The lines on an upright (H, W, 3) uint8 RGB photo, from top to bottom. Raises BadImage.

        Lines of which it is not sure, and those without two letters or digits, are left out.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise BadImage(f"a photo is (H, W, 3) uint8, not {image.shape} {image.dtype}")
        if not self.may_have_text(image):
            return []
        found: Any = self._engine(
            np.ascontiguousarray(image[:, :, ::-1])
        )  # it takes BGR, as OpenCV
        if not found.txts:
            return []
        height, width = image.shape[:2]
        lines = [
            Line(text.strip(), round(float(confidence), 3), _box(corners, width, height))
            for corners, text, confidence in zip(found.boxes, found.txts, found.scores, strict=True)
        ]
        return [line for line in lines if _says_something(line)][:MAX_LINES]

    def may_have_text(self, image: Image) -> bool:
        """Whether a glance at the photo made small sees anything that could be text."""
        pixels = {self._glancer_input: _for_detector(image, GLANCE_SIDE)}
        heat = self._glancer.run(None, pixels)[0]
        return bool(heat.max() >= GLANCE_LEAST)


def load_reader(*, threads: int = 1) -> Reader:
    """Load the networks (31 MB of files). Raises WeightsError where they are not whole."""
    return Reader(threads=threads)


def _engine(threads: int) -> "RapidOCR":
    import cv2
    from rapidocr import RapidOCR

    cv2.setNumThreads(threads)
    options: dict[str, Any] = {
        "Global.log_level": "error",
        "Global.text_score": MIN_CONFIDENCE,
        "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        "Det.limit_type": "max",
        "Det.limit_side_len": FIND_SIDE,
        # Named by their paths, so that it never looks for them on the network.
        "Det.model_path": str(model_path(DETECTOR)),
        "Cls.model_path": str(model_path(CLASSIFIER)),
        "Rec.model_path": str(model_path(RECOGNISER)),
    }
    return RapidOCR(params=options)


def model_path(name: str) -> Path:
    """Where a network of the package is. Raises WeightsError."""
    path = Path(str(files("rapidocr"))) / "models" / name
    if not path.is_file():
        raise WeightsError(f"{name} is not in the package rapidocr; install requirements.txt.")
    return path


def _for_detector(image: Image, side: int) -> NDArray[np.float32]:
    """(1, 3, h, w) in -1..1, BGR, the long side about `side`; what is smaller stays as it is."""
    scale = min(1.0, side / max(image.shape[:2]))
    height, width = (
        max(MULTIPLE, round(pixels * scale / MULTIPLE) * MULTIPLE) for pixels in image.shape[:2]
    )
    small = Pillow.fromarray(image).resize(
        (width, height), Pillow.Resampling.BILINEAR, reducing_gap=2.0
    )
    bgr = np.asarray(small, np.float32)[:, :, ::-1] / 127.5 - 1.0
    return np.ascontiguousarray(bgr.transpose(2, 0, 1)[None])


def _box(
    corners: NDArray[np.float32], width: int, height: int
) -> tuple[float, float, float, float]:
    """The upright rectangle around a line's four corners (4, 2)."""
    shares = np.clip(np.asarray(corners, np.float64) / (width, height), 0.0, 1.0)
    left, top = shares.min(axis=0)
    right, bottom = shares.max(axis=0)
    return tuple(round(float(each), 4) for each in (left, top, right - left, bottom - top))  # type: ignore[return-value]


def _says_something(line: Line) -> bool:
    return line.confidence >= MIN_CONFIDENCE and sum(map(str.isalnum, line.text)) > 1
