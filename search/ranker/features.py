"""What ranking may learn from: what each signal says, and little things about the photo.

Nothing here depends on the place at which a photo was shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.rank import Hit

Matrix = NDArray[np.float32]

FUSED = "fused"  # log-odds by all signals together: the order that is learned upon
SIGNAL = "signal "  # begins the name of each signal's own score
# Signals that have a feature of their own; all others share one, so that the names of features stay
# few, and none can carry a word that somebody typed.
OWN = frozenset({"embedding", "tags", "caption", "name", "read", "place", "albums", "absence"})
OTHERS = "others"
MOST = 8.0  # log-odds and scores beyond are as good as certain
YEAR_DAYS = 365.25


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a photo whatever is asked."""

    age_days: float
    is_favourite: bool = False
    is_screenshot: bool = False
    is_captioned: bool = False  # by a person
    is_portrait: bool = False
    has_place: bool = False
    megapixels: float = 0.0

    def features(self) -> dict[str, float]:
        age = max(0.0, self.age_days)
        return {
            "of this month": math.exp(-age / 30),
            "of this year": math.exp(-age / YEAR_DAYS),
            "age": math.log1p(age) / 5,
            "favourite": float(self.is_favourite),
            "screenshot": float(self.is_screenshot),
            "captioned": float(self.is_captioned),
            "portrait": float(self.is_portrait),
            "place": float(self.has_place),
            "size": math.log1p(max(0.0, self.megapixels)) / 3,
        }


def describe(
    hits: Sequence[Hit], facts: Mapping[int, Facts], *, best: float, words: int
) -> tuple[list[str], Matrix]:
    """Names of features, and their values (n, f) for those of `hits` of which there are facts.

    `best` is the greatest probability among all results of the query, `words` how many words of
    it have a meaning.
    """
    rows = [_features(hit, facts[hit.photo_id], best, words) for hit in hits]
    names = sorted({name for row in rows for name in row})
    values = [[row.get(name, 0.0) for name in names] for row in rows]
    return names, np.array(values, np.float32).reshape(len(rows), len(names))


def aligned(names: Sequence[str], values: Matrix, wanted: Sequence[str]) -> Matrix:
    """`values` (n, f) of features `names` in the order of `wanted`; those lacking are 0."""
    places = {name: place for place, name in enumerate(names)}
    found = np.zeros((len(values), len(wanted)), np.float32)
    for place, name in enumerate(wanted):
        if name in places:
            found[:, place] = values[:, places[name]]
    return found


def log_odds(probability: float) -> float:
    least = 1.0 / (1.0 + math.exp(MOST))
    clipped = min(max(probability, least), 1.0 - least)
    return math.log(clipped / (1.0 - clipped))


def _features(hit: Hit, facts: Facts, best: float, words: int) -> dict[str, float]:
    fused = log_odds(hit.score)
    said: dict[str, float] = {}
    for each in hit.signals:
        name = each.name if each.name in OWN else OTHERS
        said[name] = said.get(name, 0.0) + each.scores.get(hit.photo_id, 0.0)
    return {
        FUSED: fused,
        "behind the best": fused - log_odds(best),
        "agreeing": sum(score > 0.0 for score in said.values()) / 4,
        "words": min(words, 8) / 4,
        **{f"{SIGNAL}{name}": max(-MOST, min(MOST, score)) for name, score in said.items()},
        **facts.features(),
    }
