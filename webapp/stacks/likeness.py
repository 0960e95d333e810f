"""Whether two photos belong in a stack. To put apart what belongs together costs a glance; to fold
away a photo that is another one would hide it, so every rule asks for several proofs.

A print is the photo in 32 × 32 cells of grey. One print is laid over the other at the place and
scale where they fit best; then the grey must agree, and so must the detail that is left when each
cell's surroundings are taken away: pages of text agree in grey as well as copies do.

Measured on Flickr8k's 1,000 development photos (none is a copy of another) and on copies made of
120 of them; 66 pairs are pages of different text in one layout:

    lowest of copies        grey 0.913 (a crop to 85 %), detail 0.665 (a crop to 94 %)
    highest of others       grey 0.909, detail 0.304; of pages grey 0.956, detail 0.583
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from webapp.stacks.models import StackMember

SIDE = 32  # of a print, cells
SEEN = 256  # side of what a print is made of, pixels
SMALLEST = 22  # side of a crop within a print, cells: 0.7 of the photo

# Cosines of embeddings from which photos are compared at all: as a whole, and as a crop of the
# other, which takes longer. Of copies made smaller by half one in forty lies below 0.6.
COPY_LIKENESS, CROP_LIKENESS = 0.5, 0.6
GREY, DETAIL = 0.91, 0.65
# Agreement in grey of prints of half the side, below which the whole ones are not laid over each
# other: of copies 0.84 is the lowest, of photos with a cosine of 0.6 it leaves out nine in ten.
ROUGH = 0.8
# Of 183 pairs of different photos with a cosine of at least 0.8, which were not taken within
# seconds by one camera either, 9 agree so far in grey.
BURST = timedelta(seconds=5)
BURST_LIKENESS, BURST_GREY = 0.8, 0.7
# Spread of grey below which there is nothing to compare: a wall, the night, a lens cap.
BLANK = 4.0
BLOCK = 1024  # prints that are compared with all others at once

Floats = NDArray[np.float32]
Kind = StackMember.Kind


@dataclass(frozen=True, slots=True)
class Looks:
    """What is known of one photo. `embedding` (512,) of unit norm; `grey` (SIDE, SIDE)."""

    photo_id: int
    embedding: Floats
    grey: Floats
    ratio: float  # width / height
    taken_at: datetime | None
    camera: str


@dataclass(frozen=True, slots=True, order=True)
class Agreement:
    """Correlations of two prints where they fit best."""

    grey: float
    detail: float

    @property
    def is_copy(self) -> bool:
        return self.grey >= GREY and self.detail >= DETAIL


def print_of(pixels: NDArray[np.uint8]) -> tuple[bytes, float]:
    """The print of a photo and its sharpness, from its pixels (SEEN, SEEN, 3).

    Sharpness is the spread of the Laplacian of what a thumbnail shows, so that a photo that was
    merely enlarged gains none.
    """
    grey = pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    cells = grey.reshape(SIDE, SEEN // SIDE, SIDE, SEEN // SIDE).mean(axis=(1, 3))
    middle = grey[1:-1, 1:-1]
    edges = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * middle
    return cells.round().astype(np.uint8).tobytes(), float(edges.std())


def grey_of(stored: bytes) -> Floats:
    """The cells (SIDE, SIDE) of a stored print."""
    return np.frombuffer(stored, np.uint8).reshape(SIDE, SIDE).astype(np.float32)


def copies_among(greys: Floats) -> list[tuple[int, int]]:
    """Pairs of photos that are copies of one another as a whole, also mirrored; (N, SIDE, SIDE).

    For photos that nobody has looked at yet: by their prints alone. Blank ones are copies of none.
    """
    rough = np.stack([_unit(_halved(grey)) for grey in greys]) if len(greys) else greys
    mirrored = rough.reshape(len(rough), SIDE // 2, -1)[:, :, ::-1].reshape(len(rough), -1)
    pairs = []
    for start in range(0, len(rough), BLOCK):
        block = slice(start, start + BLOCK)
        near = (rough[block] @ rough.T >= ROUGH) | (rough[block] @ mirrored.T >= ROUGH)
        for row, column in np.argwhere(near):
            one, other = int(row) + start, int(column)
            if one < other and _are_copies(greys[one], greys[other]):
                pairs.append((one, other))
    return pairs


def _are_copies(one: Floats, other: Floats) -> bool:
    if min(one.std(), other.std()) < BLANK:
        return False
    return _agreement(one, other).is_copy or _agreement(one, other[:, ::-1]).is_copy


def _unit(grey: Floats) -> Floats:
    centred = (grey - grey.mean()).ravel()
    unit: Floats = centred / max(float(np.linalg.norm(centred)), 1e-3)
    return unit


def belong(one: Looks, other: Looks) -> Kind | None:
    """How the two belong together, if they do."""
    likeness = float(one.embedding @ other.embedding)
    if likeness < COPY_LIKENESS or min(one.grey.std(), other.grey.std()) < BLANK:
        return None
    if _agreement(one.grey, other.grey).is_copy:
        return Kind.COPY
    is_burst = likeness >= BURST_LIKENESS and _same_moment(one, other)
    if likeness < CROP_LIKENESS:
        return None
    if not is_burst and _overlap(one, other, rough=True).grey < ROUGH:
        return None
    agreement = _overlap(one, other)
    if agreement.is_copy:
        return Kind.COPY
    return Kind.BURST if is_burst and agreement.grey >= BURST_GREY else None


def _same_moment(one: Looks, other: Looks) -> bool:
    if one.taken_at is None or other.taken_at is None:
        return False
    return one.camera == other.camera and abs(one.taken_at - other.taken_at) <= BURST


def _overlap(one: Looks, other: Looks, *, rough: bool = False) -> Agreement:
    """How they agree where one lies best within the other; `rough` looks at quarters as many cells,
    which is ten times as fast."""
    first, second = (_halved(each.grey) if rough else each.grey for each in (one, other))
    # A piece of other proportions is squashed otherwise: a cell of it is wider than high, or the
    # other way round, by the same factor wherever it lies.
    squashed = one.ratio / other.ratio
    return max(_within(first, second, squashed), _within(second, first, 1 / squashed))


def _within(whole: Floats, part: Floats, squashed: float) -> Agreement:
    """How `part` agrees with that piece of `whole` which it fits best."""
    best, side = Agreement(-1.0, -1.0), len(whole)
    smallest = side * SMALLEST // SIDE
    for across in range(side, smallest - 1, -1):
        down = round(across * squashed)
        if smallest <= down <= side:
            best = max(best, _best_place(whole, _resized(part, down, across)))
    return best


def _best_place(whole: Floats, part: Floats) -> Agreement:
    pieces = np.lib.stride_tricks.sliding_window_view(whole, part.shape)
    centred = part - part.mean()
    means = pieces.mean(axis=(2, 3))
    spread = np.einsum("abij,abij->ab", pieces, pieces) - part.size * means**2
    alike = np.einsum("abij,ij->ab", pieces, centred)
    alike /= np.sqrt(np.maximum(spread, 1.0) * max(float((centred**2).sum()), 1.0))
    row, column = np.unravel_index(int(alike.argmax()), alike.shape)
    return _agreement(pieces[row, column], part)


def _halved(grey: Floats) -> Floats:
    halved: Floats = grey.reshape(SIDE // 2, 2, SIDE // 2, 2).mean(axis=(1, 3))
    return halved


def _agreement(one: Floats, other: Floats) -> Agreement:
    return Agreement(_correlation(one, other), _correlation(_detail(one), _detail(other)))


def _correlation(one: Floats, other: Floats) -> float:
    first, second = one - one.mean(), other - other.mean()
    size = float((first**2).sum() * (second**2).sum())
    return float((first * second).sum()) / max(size**0.5, 1e-3)


def _detail(grey: Floats) -> Floats:
    """Each cell less the mean of its surroundings."""
    around = np.lib.stride_tricks.sliding_window_view(np.pad(grey, 1, mode="edge"), (3, 3))
    detail: Floats = grey - around.mean(axis=(2, 3))
    return detail


def _resized(grey: Floats, down: int, across: int) -> Floats:
    """Bilinear: (down, across)."""
    rows, columns = _mixing(len(grey), down), _mixing(len(grey), across)
    resized: Floats = (rows @ grey @ columns.T).astype(np.float32)
    return resized


def _mixing(have: int, want: int) -> Floats:
    """(want, have): how much of each cell goes into each new one."""
    centres = np.clip((np.arange(want) + 0.5) * have / want - 0.5, 0, have - 1)
    distance = np.abs(centres[:, None] - np.arange(have)[None])
    return np.maximum(0.0, 1.0 - distance).astype(np.float32)
