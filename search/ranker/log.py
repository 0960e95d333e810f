"""What people were shown and what they did, as arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.ranker.features import Matrix
from search.ranker.network import Floats

FOLDS = 5
VALIDATING = 0.2  # share of the queries that are not held out


@dataclass(frozen=True)
class Shown:
    """One list of results as it was shown, n photos long.

    `query` is an opaque key, a hexadecimal digest; `values` (n, f) are features, `places` (n,)
    where each photo stood, from 0; `gains` (n,) say how much was made of it (0: nothing, 1: opened,
    2: more than that); `rejected` (n,) which of them a person said were not meant.
    """

    query: str
    values: Matrix
    places: NDArray[np.int64]
    gains: Floats
    rejected: NDArray[np.bool_]

    @property
    def tells(self) -> bool:
        """Whether anything was done that says how the list should have been."""
        return len(self.gains) > 1 and bool(self.gains.any() or self.rejected.any())


@dataclass(frozen=True)
class Log:
    """Lists with the same features `names`."""

    names: tuple[str, ...]
    lists: Sequence[Shown]

    def of(self, chosen: Callable[[str], bool]) -> Log:
        """The lists of those queries."""
        return Log(self.names, [each for each in self.lists if chosen(each.query)])

    @property
    def tells(self) -> bool:
        return any(each.tells for each in self.lists)

    @property
    def values(self) -> Matrix:
        return np.concatenate([each.values for each in self.lists])


@dataclass(frozen=True)
class Fold:
    """One of `FOLDS` ways to divide a log by queries: to learn from, to say when to stop, and held
    out. A query is held out in one fold, with everything that was done about it."""

    train: Log
    validating: Log
    held_out: Log


def folds(log: Log) -> list[Fold]:
    """A query falls into the same fold whatever else is logged."""
    return [
        Fold(
            log.of(lambda q, n=number: _fold(q) != n and not _stops(q)),  # type: ignore[misc]
            log.of(lambda q, n=number: _fold(q) != n and _stops(q)),  # type: ignore[misc]
            log.of(lambda q, n=number: _fold(q) == n),  # type: ignore[misc]
        )
        for number in range(FOLDS)
    ]


def _fold(query: str) -> int:
    return int(query[:8], 16) % FOLDS


def _stops(query: str) -> bool:
    return int(query[8:16], 16) < VALIDATING * 16**8
