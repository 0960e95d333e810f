"""The data cut into pieces, each the batch of one gradient, and dealt out once an epoch."""

from dataclasses import dataclass, field
from functools import lru_cache
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Pieces:
    """Which rows a piece has: a function of (seed, number), the same in every process.

    An epoch has every row in one piece, but for a rest that is smaller than a piece.
    """

    rows: int
    size: int
    seed: int = 0

    @property
    def an_epoch(self) -> int:
        return self.rows // self.size

    def __getitem__(self, piece: int) -> NDArray[np.int64]:
        epoch, place = divmod(piece, self.an_epoch)
        order = _shuffled(self.rows, self.seed, epoch)
        return order[place * self.size : (place + 1) * self.size]


@dataclass(slots=True)
class Deck:
    """Deals numbers of pieces in their order; one that was given back is dealt next.

    So no piece is left out because its worker was late or died: it is only later.
    """

    _next: int = 0
    given_back: list[int] = field(default_factory=list)

    def deal(self) -> int:
        if self.given_back:
            return heappop(self.given_back)
        self._next += 1
        return self._next - 1

    def give_back(self, piece: int) -> None:
        heappush(self.given_back, piece)


@lru_cache(maxsize=2)
def _shuffled(rows: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, epoch]).permutation(rows)
