"""Where photos stop being like an example: how probable it is that each shows the same.

The cosine of two photos says more than that of a text and a photo, but in a large library many
photos are near by chance, and what several examples have in common lies nearer to everything.
Fitted to pairs of photos with the same label, see `webapp.find.fitting`.
"""

from __future__ import annotations

import numpy as np

from search.combine import Combination
from search.cutoff import FITTED, MOST_PHOTOS, SAMPLE, Witnesses
from search.index.protocol import Scores, Vectors


def likeness_witnesses(
    photos: Vectors, sample: Vectors, wanted: Combination, *, size: int, examples: int
) -> Witnesses:
    """What `FITTED["alike"]` weighs, for `photos` (n, dim) of a library of `size` photos, for which
    `sample` (m, dim) stands; `examples` is of how many photos `wanted` was made."""
    along = photos @ wanted.likeness
    usual = float(np.median(sample @ wanted.likeness)) if len(sample) else 0.0
    repeated = np.ones(len(photos))
    return {
        "cosine": along / max(float(np.linalg.norm(wanted.likeness)), 1e-6),
        "spreads": along - usual,
        "log_size": repeated * np.log(np.clip(size, 1, MOST_PHOTOS) / SAMPLE),
        "log_examples": repeated * np.log(max(examples, 1)),
    }


def alike(
    photos: Vectors, sample: Vectors, wanted: Combination, *, size: int, examples: int
) -> Scores:
    """The probability (n,) that each photo shows the same as the examples."""
    witnesses = likeness_witnesses(photos, sample, wanted, size=size, examples=examples)
    weights = FITTED["alike"]
    log_odds = weights["bias"] + sum(weights[name] * each for name, each in witnesses.items())
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)), np.float32)
