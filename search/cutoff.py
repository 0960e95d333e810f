"""Where results stop being relevant: for each photo a calibrated probability that it was meant.

A cosine alone says little: some queries score high on everything, and how high the best photo of a
library scores says whether the library has what is asked for at all. So the score of a query on a
photo is measured in spreads above what the query scores across the library; words whose look was
learned (`search.known`) say how probable they are in themselves; and how the best photos do says
how far the rest may be believed. `webapp.find.fitting` fits the weights on training photos, once
with what is asked for in the library and once with all of it taken away; docs/relevance.md has
what they reach.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.index.protocol import Scores, Vectors
from search.known import Asked, KnownWords
from search.rank import PRIOR, Hit
from search.words import Word

# Photos that stand for a library.
SAMPLE = 1_000
# A small library says little about itself: it is taken together with so many imagined photos that
# score as those of other libraries do.
PRIOR_PHOTOS = 50
# How much the least probable word of a query counts beside the likeness to the whole, divided by
# the number of words: a photo without one of two words is not meant, of ten it may be.
BY_WEAKEST = 0.6
# How much the likeness counts beside a known word, by a fit on 678 words of training photos.
BY_LIKENESS = 0.17
# Of one or two unknown words, so much of how the photo scores on other queries counts.
BY_PHOTO = 1.0
MOST_UNKNOWN = 1 / 8
MOST_PHOTOS = 20_000  # beyond, a larger library asks no more of its best photos
LEAST_PRESENT = -6.0  # log-odds: nothing tells that a library surely lacks what is asked for
TOP, FURTHER = 3, 10  # photos that say how well a query is answered at all

# Everything fitted, by what kind of query it is for: see `witnesses`. "cutoff" was chosen by its
# figures on development photos: what a library's best photos have to show, see `presence`, and from
# which probability on results are shown at once.
FITTED: Mapping[str, Mapping[str, float]] = json.loads(
    Path(__file__).with_name("cutoff.json").read_text("utf-8")
)
# Hits at least so probable are shown at once, the others as less likely.
CONFIDENT: float = FITTED["cutoff"]["confident"]

# What people look for in general; how a photo scores on these is what it scores on anything.
GENERIC_QUERIES = (
    "a person", "people", "a child", "a group of people standing together", "a dog", "a cat",
    "an animal", "a bird", "a car", "a street in a city", "a building", "a house", "a room",
    "a kitchen", "a bathroom", "food on a plate", "a table", "a screen", "a document", "a sign",
    "a beach", "the sea", "a mountain", "a forest", "a tree", "a flower", "grass", "snow", "water",
    "the sky", "sunset", "night", "a party", "sports", "a ball", "a bicycle", "a motorcycle",
    "a train", "a bus", "an airplane", "a boat", "a toy", "furniture", "clothes", "a portrait",
    "a man in a hat", "a woman smiling", "someone running", "someone jumping", "people walking",
)  # fmt: skip

WORD = "word"  # the kind of a query that is one known word

Witnesses = dict[str, NDArray[np.floating]]


@dataclass(frozen=True, slots=True)
class Background:
    """What scores are compared with.

    `sample`: embeddings (m, dim) of photos that stand for the library; `generic`: those (g, dim)
    of GENERIC_QUERIES; `known`: the words whose look was learned; `size`: how many photos are
    searched, of which those given to `evidence` are the best.
    """

    sample: Vectors
    generic: Vectors
    known: KnownWords
    size: int = SAMPLE

    def evidence(self, query: Vectors, photos: Vectors, words: Sequence[Word] = ()) -> Scores:
        """For each of `photos` (n, dim) by how much its look raises the log-odds that it is meant
        by a query with the embedding `query` (dim,) and the content words `words`.

        For a known word that is the probability that such a photo shows it, times the probability
        that any photo of the library does, so far as the best of `photos` tell.
        """
        asked = self.known.asked(words)
        kind = kind_of(asked)
        witnesses = self.witnesses(query, photos, asked)
        seen = log_odds(kind, witnesses)
        if kind != WORD or not len(photos):
            return seen - PRIOR
        found = max(believed(float(witnesses["present"][0])), LEAST_PRESENT)
        both = -np.logaddexp(0, -seen.astype(np.float64)) - np.logaddexp(0, -found)
        return np.asarray(both - np.log(-np.expm1(both)) - PRIOR, np.float32)

    def witnesses(self, query: Vectors, photos: Vectors, asked: Asked) -> Witnesses:
        """What the weights in `FITTED` weigh, by name; numbers of the query alone repeated (n,).

        `order` ranks: nothing else differs between the photos of one query.
        """
        likeness = self._likeness(query, photos)
        known = asked.log_odds(photos) if len(asked.biases) else None
        order = self._order(asked, likeness, known, photos @ query, photos)
        first = np.argsort(-order, kind="stable")[:FURTHER]
        best = first[:TOP]
        weakest = known.min(axis=1) if known is not None else likeness
        count = max(asked.count, 1)
        of_word = {}
        if known is not None and kind_of(asked) == WORD:
            of_word = self._of_word(asked, known, likeness, first)
        return {
            **{name: _repeated(value, photos) for name, value in of_word.items()},
            "order": order,
            "top": _repeated(order[best].mean() if len(best) else 0.0, photos),
            "top_likeness": _repeated(likeness[best].mean() if len(best) else 0.0, photos),
            "top_weakest": _repeated(weakest[best].mean() if len(best) else 0.0, photos),
            "log_words": _repeated(np.log(count), photos),
            "unknown": _repeated(unknown_share(asked), photos),
            "small": _repeated(np.log(SAMPLE / np.clip(len(self.sample), 1, SAMPLE)), photos),
        }

    def _of_word(
        self,
        asked: Asked,
        known: NDArray[np.float32],
        likeness: Scores,
        best: NDArray[np.integer],
    ) -> dict[str, float]:
        """Whether the library has a known word at all, by its `best` photos and by what the word's
        line says of photos with and without it; `present` is the log-odds that it does."""
        if not len(best):
            return {}
        tail, shown = (float(value) for value in asked.usual[0])
        top = float(known[best[:TOP], 0].mean())
        further = float(known[best[:FURTHER], 0].mean())
        told = {
            "known_top": top,
            "likeness_top": float(likeness[best[:TOP]].mean()),
            "log_size": float(np.log(np.clip(self.size, 1, MOST_PHOTOS) / SAMPLE)),
            "known_further": further,
            "tail": tail,
            "shown": shown,
        }
        weights = FITTED["present"]
        present = weights["bias"] + sum(weights[name] * value for name, value in told.items())
        return {**told, "present": present, "doubt": min(present, 0.0)}

    def _order(
        self,
        asked: Asked,
        likeness: Scores,
        known: NDArray[np.float32] | None,
        scores: Scores,
        photos: Vectors,
    ) -> NDArray[np.floating]:
        if known is None:
            return likeness + BY_PHOTO / max(asked.count, 1) ** 2 * self._by_photo(photos, scores)
        if asked.count == 1:
            return known[:, 0] + BY_LIKENESS * likeness
        return likeness + BY_WEAKEST / asked.count * known.min(axis=1)

    def _likeness(self, query: Vectors, photos: Vectors) -> Scores:
        """Spreads above the median of what this query scores in the library (n,)."""
        usual = self.sample @ query
        share = len(usual) / (len(usual) + PRIOR_PHOTOS)
        median, upper = np.quantile(usual, [0.5, 0.84]) if len(usual) else (0.0, 0.0)
        others = FITTED["others"]
        middle = share * median + (1 - share) * others["median"]
        spread = share * (upper - median) + (1 - share) * others["spread"]
        return (photos @ query - middle) / max(spread, others["spread"] / 3)

    def _by_photo(self, photos: Vectors, scores: Scores) -> Scores:
        """Deviations above the mean of what these photos score on generic queries (n,)."""
        usual = photos @ self.generic.T
        return (scores - usual.mean(axis=1)) / np.maximum(usual.std(axis=1), 1e-3)


def kind_of(asked: Asked) -> str:
    """Which of the fitted weights a query needs."""
    if not len(asked.biases):
        return "unknown"
    return WORD if asked.count == 1 else "several"


def log_odds(kind: str, witnesses: Witnesses) -> Scores:
    """That each photo is meant, (n,)."""
    weights = FITTED[kind]
    total = sum(weights[name] * values for name, values in witnesses.items() if name in weights)
    return np.asarray(total + weights["bias"], np.float32)


def believed(present: float) -> float:
    """Log-odds that a word is answered whose library has it with the log-odds `present`: an absent
    thing that is answered does more harm than one that is there and shown as less likely."""
    chosen = FITTED["cutoff"]
    return chosen["steepness"] * (present - chosen["answered"])


def unknown_share(asked: Asked) -> float:
    """The share of a query's words that are not known, up to `MOST_UNKNOWN`: more are as bad. Text
    that has such a word gives back what it costs, see `search.trust`."""
    return min(len(asked.others) / max(asked.count, 1), MOST_UNKNOWN)


def nearest_to(query: Vectors, asked: Asked) -> Vectors:
    """The vector (dim,) of unit norm whose nearest photos are candidates for a query."""
    if kind_of(asked) != WORD:
        return query
    line = asked.lines[0]
    return line / max(float(np.linalg.norm(line)), 1e-6)


def confident(hits: Sequence[Hit]) -> int:
    """How many of `hits`, best first, are shown at once."""
    return sum(hit.score >= CONFIDENT for hit in hits)


def _repeated(value: float, photos: Vectors) -> NDArray[np.floating]:
    return np.full(len(photos), value)
