"""One order out of several opinions."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from search.query import Query

# Log-odds that a photo is meant of which no signal says anything; fitted, see `search.cutoff`.
PRIOR = -4.5
LOOK = "embedding"  # the signal that has no more to say than that it looks like it


@dataclass(frozen=True, slots=True)
class Signal:
    """One opinion on photos.

    `scores`: for each photo it speaks about, by how much it raises the log-odds that the photo is
    what was asked for. `reason`: why, in a few words; nothing if it has none.
    """

    name: str
    scores: Mapping[int, float]
    reason: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Hit:
    """A photo, the probability that it is what was asked for, and the signals that may say why."""

    photo_id: int
    score: float
    signals: Sequence[Signal] = field(default=(), repr=False, compare=False)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is here, best reason first, what is written before the look of it. Worded when
        asked: a page shows 60 hits of 500."""
        for_it = [each for each in self.signals if each.scores.get(self.photo_id, 0.0) > 0.0]
        for_it.sort(key=lambda each: (each.name == LOOK, -each.scores[self.photo_id]))
        return tuple(filter(None, (signal.reason(self.photo_id) for signal in for_it)))


def rank(query: Query, signals: Sequence[Signal], k: int) -> list[Hit]:
    """The `k` best photos of which a signal speaks, best first, equals newest (highest id) first.

    Signals are independent witnesses whose evidence adds up, as in a logistic model. So one good
    tag finds the photo that the embedding overlooks, and among photos with that tag the embedding
    decides. The same input gives the same order.
    """
    evidence: dict[int, float] = defaultdict(float)
    for signal in sorted(signals, key=lambda signal: signal.name):
        for photo_id, score in signal.scores.items():
            evidence[photo_id] += score
    best = sorted(evidence.items(), key=lambda item: (-item[1], -item[0]))[:k]
    return [Hit(photo_id, _probability(PRIOR + score), signals) for photo_id, score in best]


def last(hits: Sequence[Hit], photos: frozenset[int]) -> list[Hit]:
    """`hits` with those of `photos` at the end and improbable, as a person said that they are."""
    kept = [hit for hit in hits if hit.photo_id not in photos]
    return kept + [replace(hit, score=0.0) for hit in hits if hit.photo_id in photos]


def _probability(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-500.0, min(500.0, log_odds))))
