"""What the teacher says of photos: asked anew for each crop, or read from kept features.

A crop is worth its price (a fifth of a step) once the student has seen each photo a few times;
before that, whole photos and their mirror images are as new, and heads have their features already.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from vision.backbones.base import Backbone, Features
from vision.training.distillation.photos import KEPT_SIZE
from vision.training.features import PARTS, VIEWS

PORTION = 512
Photos = NDArray[np.uint8]  # (photos, S, S, 3) RGB, may be memory-mapped
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Draw:
    """Which part of which photo: rows, boxes of `photos` in pixels, and whether mirrored."""

    rows: NDArray[np.int64]
    boxes: list[Box]
    flips: NDArray[np.bool_]

    @classmethod
    def random(
        cls, among: NDArray[np.int64], count: int, size: int, least_area: float, *, seed: list[int]
    ) -> "Draw":
        """`count` different photos of those in `among`, each with a crop; a function of `seed`."""
        rng = np.random.default_rng(seed)
        rows = np.sort(rng.choice(among, min(count, len(among)), replace=False))
        boxes = [crop(size, least_area, rng) for _ in rows]
        return cls(rows, boxes, rng.random(len(rows)) < 0.5)

    def cut(self, photos: Photos, size: int) -> Photos:
        """The crops at a size, (photos, size, size, 3)."""
        chosen = zip(self.rows, self.boxes, self.flips, strict=True)
        return np.stack([cut(photos[row], box, flip, size) for row, box, flip in chosen])


class Teacher(Protocol):
    """Answers what it sees in each crop of a draw."""

    def __call__(self, draw: Draw, photos: Photos) -> Features: ...


@dataclass(frozen=True, slots=True)
class AskedTeacher:
    """Looks at every crop."""

    backbone: Backbone

    def __call__(self, draw: Draw, photos: Photos) -> Features:
        return self.backbone(draw.cut(photos, self.backbone.input_size))


@dataclass(frozen=True, slots=True)
class KeptAnswers:
    """Features of whole photos, plain and mirrored, from the files of a FeatureCache.

    `stems` are `<cache>/<hash>/<collection>/<archive>`, whose photos follow `first` in the rows.
    """

    stems: Sequence[Path]
    first: int

    def rows(self) -> NDArray[np.int64]:
        """The photos whose answers are kept."""
        count = sum(len(self._part(stem, "plain", "pooled")) for stem in self.stems)
        return np.arange(self.first, self.first + count)

    def __call__(self, draw: Draw, photos: Photos) -> Features:
        """Boxes are not looked at: draw whole photos (`least_area` 1)."""
        return Features(*(self._answers(draw, part).astype(np.float32) for part in PARTS))

    def _answers(self, draw: Draw, part: str) -> NDArray[np.float16]:
        views = [[self._part(stem, view, part) for stem in self.stems] for view in VIEWS]
        ends = np.cumsum([len(each) for each in views[0]])
        found = []
        for row, flip in zip(draw.rows - self.first, draw.flips, strict=True):
            archive = int(np.searchsorted(ends, row, side="right"))
            start = ends[archive] - len(views[0][archive])
            found.append(views[int(flip)][archive][row - start])
        return np.stack(found)

    def _part(self, stem: Path, view: str, part: str) -> NDArray[np.float16]:
        return np.load(stem.with_name(f"{stem.name}.{view}.{part}.npy"), mmap_mode="r")


@dataclass(frozen=True, slots=True)
class KeptMaps:
    """What the frozen stages see in whole photos, so that only the others have to run.

    Every other photo was mirrored, see `draw`. `portions` are files of PORTION photos each.
    """

    portions: Sequence[Path]
    rows: NDArray[np.int64]
    size: int  # of the photos, in pixels

    def draw(self, count: int, *, seed: list[int]) -> Draw:
        """Different photos, each in the view that its map is of."""
        rng = np.random.default_rng(seed)
        rows = np.sort(rng.choice(self.rows, min(count, len(self.rows)), replace=False))
        return whole(rows)

    def maps(self, draw: Draw) -> NDArray[np.float16]:
        """Maps (B, H, W, C) of the photos drawn."""
        places = np.searchsorted(self.rows, draw.rows)
        found = [np.load(self.portions[p // PORTION], mmap_mode="r")[p % PORTION] for p in places]
        return np.stack(found)


def whole(rows: NDArray[np.int64]) -> Draw:
    """Whole photos, those of odd rows mirrored."""
    box = (0.0, 0.0, float(KEPT_SIZE), float(KEPT_SIZE))
    return Draw(rows, [box] * len(rows), rows % 2 == 1)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the student sees (pixels, or kept maps of a frozen stage) and what the teacher says."""

    seen: NDArray[np.generic]
    wanted: Features
    kept: bool = False


class Ahead:
    """Makes the next lesson while the student is busy with one."""

    def __init__(self, make: "MakeLesson") -> None:
        self._make = make
        self._pool = ThreadPoolExecutor(1)
        self._next: tuple[int, Future[Lesson]] | None = None

    def lesson(self, step: int) -> Lesson:
        if self._next is None or self._next[0] != step:
            self._next = (step, self._pool.submit(self._make, step))
        future = self._next[1]
        self._next = (step + 1, self._pool.submit(self._make, step + 1))
        return future.result()


class MakeLesson(Protocol):
    """The lesson of a step."""

    def __call__(self, step: int) -> Lesson: ...


def crop(size: int, least_area: float, rng: np.random.Generator) -> Box:
    """A random box with sides of a ratio between 3/4 and 4/3; the whole photo for an area of 1."""
    area, ratio = rng.uniform(least_area, 1), np.exp(rng.uniform(-1, 1) * np.log(4 / 3))
    if least_area >= 1:
        return 0.0, 0.0, float(size), float(size)
    width, height = (min(1.0, float(area * r) ** 0.5) * size for r in (ratio, 1 / ratio))
    left, top = rng.random() * (size - width), rng.random() * (size - height)
    return left, top, left + width, top + height


def cut(photo: Photos, box: Box, flip: bool, size: int) -> Photos:
    """A crop of one photo, mirrored or not, at a size."""
    picture = Pillow.fromarray(np.ascontiguousarray(photo[:, ::-1] if flip else photo))
    return np.asarray(picture.resize((size, size), Pillow.Resampling.BILINEAR, box=box))


def resized(photos: Photos, size: int) -> Photos:
    """Whole photos at another size."""
    box = (0.0, 0.0, float(photos.shape[2]), float(photos.shape[1]))
    return np.stack([cut(photo, box, False, size) for photo in photos])
