"""Fit how probable it is that a photo shows the same as an example: `search.alike`.

Photos of the same class are alike, others are not, nor are those of collections without classes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.alike import likeness_witnesses
from search.combine import combine
from search.cutoff import SAMPLE
from search.fitting import logistic
from search.index.protocol import Vectors

LIBRARIES = (100, 300, 1_000, 3_000)  # photos
EXAMPLES = (1, 1, 3)
ASKED = 6  # times each class is asked for, every second time with none of it in the library
MOST_ALIKE = 12  # photos of the class in the library
CLASSED = 3  # one in so many of the other photos has a class
FURTHEST = 200  # places of the results that are learned from
WEIGHED = ("cosine", "spreads", "log_size", "log_examples")


@dataclass(frozen=True)
class Classed:
    """Embeddings (n, dim) of photos, and the class of each."""

    photos: Vectors
    labels: NDArray[np.str_]


def fit_alike(classed: Sequence[Classed], others: Vectors) -> dict[str, float]:
    """`others` (m, dim) are photos of which no class is known."""
    chance = np.random.default_rng(0)
    asked = [each for one in classed for each in _asked(one, others, chance)]
    features = np.concatenate([features for features, _ in asked])
    right = np.concatenate([right for _, right in asked])
    ones = np.ones_like(features[:, :1])
    found = logistic(np.concatenate([ones, features], axis=1), right)
    names = ("bias", *WEIGHED)
    return {name: round(float(value), 4) for name, value in zip(names, found, strict=True)}


def _asked(
    classed: Classed, others: Vectors, chance: np.random.Generator
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """For each question the features (n, f) of its first results, and which are right."""
    for label in np.unique(classed.labels):
        own = np.flatnonzero(classed.labels == label)
        foreign = np.flatnonzero(classed.labels != label)
        for number in range(ASKED if len(own) > max(EXAMPLES) else 0):
            examples = chance.choice(own, chance.choice(EXAMPLES), replace=False)
            count = chance.integers(1, MOST_ALIKE) if number % 2 else 0
            rest = chance.permutation(np.setdiff1d(own, examples))[:count]
            size = int(chance.choice(LIBRARIES))
            beside = chance.permutation(foreign)[: size // CLASSED]
            photos = [classed.photos[rest], classed.photos[beside]]
            photos.append(others[chance.permutation(len(others))[: size - len(beside)]])
            yield _first(classed.photos[examples], np.concatenate(photos), len(rest), chance)


def _first(
    examples: Vectors, photos: Vectors, right: int, chance: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The first `right` of `photos` are alike."""
    sample = photos[chance.permutation(len(photos))[:SAMPLE]]
    witnesses = likeness_witnesses(
        photos, sample, combine(examples, sample), size=len(photos), examples=len(examples)
    )
    features = np.stack([witnesses[name] for name in WEIGHED], axis=1).astype(np.float64)
    order = np.argsort(-witnesses["cosine"], kind="stable")[:FURTHEST]
    return features[order], (order < right).astype(np.float64)
