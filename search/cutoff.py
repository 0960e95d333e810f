"""Where results stop being relevant, calibrated against the library itself.

A cosine alone says little: some queries score high on everything, some photos on every query. So
the score of a query on a photo is compared with how the same query scores across the library, and
with how the same photo scores on queries that mean something else. Both become log-odds, to which
`search.rank` adds what words say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from search.index.protocol import Scores, Vectors
from search.rank import Hit

# Photos that stand for a library.
SAMPLE = 1_000
# A small library says little about itself: it is taken together with so many imagined photos that
# score as those of other libraries do.
PRIOR_PHOTOS, PRIOR_MEDIAN, PRIOR_SPREAD = 50, 0.0, 0.1
# Log-odds for each spread above what the query, and the photo, usually score. A logistic
# regression on 104 words over Flickr8k's and 17 labels over coco_wide's development photos gave
# 0.45 and 0.82, with `rank.PRIOR` and `signals.TRUST["tags"]` fitted at once (a photo has a word
# if two of its five captions do). For whole captions the photo's own background weighs too much
# then: equal weights put the photo meant first for 0.27 instead of 0.25 of Flickr8k's, like the
# embedding alone.
BY_QUERY, BY_PHOTO = 0.6, 0.6
# Of a few photos each is meant more often than of a thousand: log-odds for each factor e by which
# a library is smaller than the sample. Asked for one of 30 photos by a caption, the cut-off then
# keeps it in 80 % (Flickr8k) and 64 % (coco_wide) instead of 48 % and 22 %, and shows 2 photos
# instead of 0.6; of a caption whose photo is not there it shows 1.4 and 0.9 instead of 0.2 and
# 0.1.
BY_SMALLNESS = 0.4
# Hits at least so probable are shown at once, the others behind "show more anyway". Of photos meant
# that rank in the first ten for a whole caption, 0.4 keeps 86 % (Flickr8k) and 77 % (coco_wide) and
# shows 13 and 9 photos in the mean; 0.3 keeps 94 % of Flickr8k's and shows 21, 0.5 keeps 72 % and
# shows 8. Of single words of which no photo is left, 0.3 answers 7 in 10 all the same, 0.5 4 in 10.
CONFIDENT = 0.4

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


@dataclass(frozen=True, slots=True)
class Background:
    """How things score that are not meant.

    `sample`: embeddings (m, dim) of photos that stand for the library; `generic`: those (g, dim)
    of GENERIC_QUERIES.
    """

    sample: Vectors
    generic: Vectors

    def evidence(self, query: Vectors, photos: Vectors) -> Scores:
        """For each of `photos` (n, dim) by how much its likeness to `query` (dim,) raises the
        log-odds that it is meant."""
        scores = photos @ query
        by_query, by_photo = self._by_query(query, scores), self._by_photo(photos, scores)
        smallness = np.log(SAMPLE / max(1, len(self.sample)))
        return BY_QUERY * by_query + BY_PHOTO * by_photo + BY_SMALLNESS * max(0.0, smallness)

    def _by_query(self, query: Vectors, scores: Scores) -> Scores:
        """Spreads above the median of what this query scores in the library (n,)."""
        usual = self.sample @ query
        share = len(usual) / (len(usual) + PRIOR_PHOTOS)
        median, upper = np.quantile(usual, [0.5, 0.84]) if len(usual) else (0.0, 0.0)
        median = share * median + (1 - share) * PRIOR_MEDIAN
        spread = share * (upper - median) + (1 - share) * PRIOR_SPREAD
        return (scores - median) / max(spread, 1e-3)

    def _by_photo(self, photos: Vectors, scores: Scores) -> Scores:
        """Deviations above the mean of what these photos score on generic queries (n,)."""
        usual = photos @ self.generic.T
        return (scores - usual.mean(axis=1)) / np.maximum(usual.std(axis=1), 1e-3)


def confident(hits: Sequence[Hit]) -> int:
    """How many of `hits`, best first, are shown at once."""
    return sum(hit.score >= CONFIDENT for hit in hits)
