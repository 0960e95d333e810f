"""What the frozen stages of a student see, computed once in int8 and kept.

As long as they are frozen, running them again for every visit would be half of a step's price.
int8 is what the product runs, so the student learns on top of what it will meet.
"""

import copy
import logging
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from torch import Tensor, nn

from vision.backbones.inception import InceptionV3, Scaling, fold_batchnorm
from vision.sessions import open_session
from vision.training.backbone import export_backbone
from vision.training.distillation.lessons import PORTION, KeptMaps, Photos, resized, whole
from vision.training.networks import INCEPTION_OPERATORS

logger = logging.getLogger(__name__)

MICRO_BATCH = 16
CALIBRATION = 64


class Trunk(nn.Module):
    """Stages before `until`: pixels_BHWC (B, S, S, 3) uint8 -> maps (B, H, W, C)."""

    def __init__(self, network: InceptionV3, scaling: Scaling, until: str) -> None:
        super().__init__()
        self.scaling = scaling
        names = [name for name, _ in network.stages()]
        folded = fold_batchnorm(copy.deepcopy(network).eval())
        self.stages = nn.Sequential(*(s for _, s in folded.stages()[: names.index(until)]))

    def forward(self, pixels_BHWC: Tensor) -> Tensor:
        return self.stages(self.scaling.scale(pixels_BHWC)).permute(0, 2, 3, 1)


def keep_maps(
    trunk: Trunk, photos: Photos, rows: NDArray[np.int64], *, size: int, to: Path, threads: int = 0
) -> KeptMaps:
    """Maps of these photos, in the folder `to`; what is there already is not made again."""
    to.mkdir(parents=True, exist_ok=True)
    path = to / "trunk.int8.onnx"
    if not path.exists():
        sample = photos[np.linspace(0, len(photos) - 1, min(CALIBRATION, len(photos))).astype(int)]
        export_backbone(
            trunk,
            size=size,
            photos=list(resized(sample, size)),
            to=path,
            operators=INCEPTION_OPERATORS,
            outputs=("map",),
        )
    session = open_session(path, threads=threads)
    portions = []
    for start in range(0, len(rows), PORTION):
        portion = to / f"{size}.{start // PORTION:05}.npy"
        if not portion.exists():
            _keep(portion, _maps(session, photos, rows[start : start + PORTION], size))
            logger.info("kept portion=%s", portion.name)
        portions.append(portion)
    return KeptMaps(portions, rows, size)


def _maps(
    session: onnxruntime.InferenceSession, photos: Photos, rows: NDArray[np.int64], size: int
) -> NDArray[np.float16]:
    found = []
    for start in range(0, len(rows), MICRO_BATCH):
        pixels = whole(rows[start : start + MICRO_BATCH]).cut(photos, size)
        found.append(session.run(["map"], {"pixels": pixels})[0].astype(np.float16))
    return np.concatenate(found)


def _keep(path: Path, array: NDArray[np.float16]) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.save(file, array)
    partial.rename(path)
