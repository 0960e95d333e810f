"""One order out of several opinions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from search.query import Query


@dataclass(frozen=True, slots=True)
class Signal:
    """One opinion on photos.

    `scores`: for each photo it speaks for, the probability that the photo is what was asked for,
    as far as this signal can tell. `reason`: why, in a few words; nothing if it has none.
    """

    name: str
    scores: Mapping[int, float]
    reason: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Hit:
    """A photo, the probability that it is what was asked for, and why, best reason first."""

    photo_id: int
    score: float
    reasons: tuple[str, ...]


def rank(query: Query, signals: Sequence[Signal], k: int) -> list[Hit]:
    """The `k` best photos that any signal speaks for, best first, equals newest (highest id) first.

    Signals count as independent witnesses: the fused probability is that not all of them are wrong
    (noisy-or). So one good tag finds the photo that the embedding overlooks, and among photos with
    that tag the embedding decides. The same input gives the same order.
    """
    doubts: dict[int, float] = defaultdict(lambda: 1.0)
    for signal in signals:
        for photo_id, score in signal.scores.items():
            doubts[photo_id] *= 1.0 - score
    best = sorted(doubts.items(), key=lambda item: (item[1], -item[0]))[:k]
    return [Hit(photo_id, 1.0 - doubt, _reasons(signals, photo_id)) for photo_id, doubt in best]


def _reasons(signals: Sequence[Signal], photo_id: int) -> tuple[str, ...]:
    speaking = [signal for signal in signals if photo_id in signal.scores]
    speaking.sort(key=lambda signal: -signal.scores[photo_id])
    return tuple(filter(None, (signal.reason(photo_id) for signal in speaking)))
