"""What somebody who looked says of training photos: `looked.csv`, words that captions seldom prove.

Who captions a photo leaves things out, so by captions alone a word such as "night" is never right
nine times in ten, however right it is. Of such words the photos that their probe thinks of first
were looked at, by ranks evenly spread (`docs/models.md` says how). A person's eye outranks a
caption, and from which probability on the word is said is chosen on photos that were looked at.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision.training.tags.thresholds import TagCalibration, lower_bound

NOWHERE = float("inf")  # log-odds from which a word is said that is never sure
TABLE = Path(__file__).parent / "looked.csv"

# By collection and photo what it shows, by word.
LookedAt = Mapping[tuple[str, str], Mapping[str, bool]]


@dataclass(frozen=True, slots=True)
class EyeCalibration:
    """From which rank on a word is too often wrong. `many` photos that were looked at are enough
    for their share to be believed as it is; of fewer its lower end counts, as everywhere. Where a
    word begins to be said, its probability is made `said_from`."""

    many: int = 20
    said_from: float = 0.8


@cache
def looked_at() -> LookedAt:
    """The table that ships."""
    found: dict[tuple[str, str], dict[str, bool]] = {}
    with TABLE.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            own = found.setdefault((row["collection"], row["file"]), {})
            own[row["word"]] = row["shows"] == "yes"
    return found


def looks(
    looked: LookedAt, collection: str, photos: Sequence[str], words: Sequence[str]
) -> NDArray[np.int8]:
    """(photos, words): 1 where the word was seen, -1 where it was looked for and is not there, 0
    where nobody looked."""
    place = {word: number for number, word in enumerate(words)}
    found = np.zeros((len(photos), len(words)), np.int8)
    for row, photo in zip(found, photos, strict=True):
        for word, shows in looked.get((collection, photo), {}).items():
            if word in place:
                row[place[word]] = 1 if shows else -1
    return found


def surely_right_from(
    log_odds: NDArray[np.float32],
    shows: NDArray[np.bool_],
    config: TagCalibration,
    eye: EyeCalibration,
) -> float:
    """The lowest log-odds from which a word is right often enough on photos that were looked at;
    NOWHERE where there are none."""
    order = np.argsort(-log_odds, kind="stable")
    right, counts = np.cumsum(shows[order], dtype=np.float32), np.arange(1, len(order) + 1)
    sure = lower_bound(right, counts, config.sigmas) >= config.right
    sure |= (counts >= eye.many) & (right >= config.right * counts)
    good = np.flatnonzero(sure & (counts >= config.fewest))
    return float(log_odds[order[good[-1]]]) if len(good) else NOWHERE
