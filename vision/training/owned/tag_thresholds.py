"""Thresholds after corrections: as many right tags as before, of the words that are right oftener.

How far a word's log-odds lie above its threshold says how likely it is right; corrections say where
that is off, word by word, held to the common curve, as there are few for each (a logistic
regression with random effects). It is fitted on what was said, as only of that all is known: what
is wrong was rejected, what was left is right. So words that were rejected rise, and those that
never were come down as far as makes up for it: on development photos 332 corrected ones won 0.2
points of precision at the same recall. Fitted on what was not said as well it lost as much, and to
come down further cost as much precision as it won recall. If what is said now is less often right
than is wanted, only the words are said that are likeliest right.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.heads.saying import lift_broader
from vision.heads.word_model import sigmoid
from vision.training.owned.tag_lessons import Targets

LOWEST, HIGHEST = 0.5, 0.998
FARTHEST = -2.0  # below its threshold, in log-odds, a word is not thought of
USUAL = np.array([1.4, 0.85])  # the curve of the version that ships, fitted on development photos
HOLD_USUAL = 10.0
DOUBT = 0.03  # how far off a hundred corrected photos tell how right tags are
NEWTON_STEPS = 12


@dataclass(frozen=True, slots=True)
class Choice:
    """Settings: `spread` is how much words differ, in log-odds; `right` the wanted precision."""

    right: float = 0.9
    spread: float = 0.3


def choose_thresholds(
    unseen_PW: NDArray[np.float32],
    targets: Targets,
    library_LW: NDArray[np.float32],
    first_W: NDArray[np.float32],
    broader: tuple[int, ...],
    choice: Choice,
) -> NDArray[np.float32]:
    """Thresholds (W,) in place of `first_W`.

    `unseen_PW` are log-odds of corrected photos by heads that had not seen them, `library_LW` of
    photos that nobody spoke of.
    """
    sayable = first_W < 1
    margin = _margins(unseen_PW, first_W, broader)
    known = (margin >= 0) & sayable
    curve, own = _fit(margin, targets, known, choice)
    ahead = _margins(library_LW, first_W, broader)
    right = sigmoid((curve[0] + curve[1] * ahead + own).astype(np.float32))
    possible = (ahead > FARTHEST) & sayable
    now = possible & (ahead >= 0)
    if not now.any() or not known.any():
        return first_W
    least = _least_likely(right, possible, now, choice.right)
    shift = (np.log(least / (1 - least)) - curve[0] - own) / curve[1]
    moved = sigmoid((_log_odds(first_W) + shift).astype(np.float32))
    return np.where(sayable, np.clip(moved, LOWEST, HIGHEST), first_W).astype(np.float32)


def _least_likely(
    right: NDArray[np.float32], possible: NDArray[np.bool_], now: NDArray[np.bool_], wanted: float
) -> float:
    """How likely the least likely of what is said may be: for as many right ones as now, or for
    the wanted precision where now it is clearly not reached."""
    ordered = np.sort(right[possible])[::-1]
    hits = np.cumsum(ordered, dtype=np.float64)
    enough = hits >= right[now].sum(dtype=np.float64)
    if float(right[now].mean()) < wanted - DOUBT:
        enough = hits / np.arange(1, len(ordered) + 1) < wanted
    last = int(np.argmax(enough)) if enough.any() else len(ordered) - 1
    return float(np.clip(ordered[last], 0.02, 0.98))


def _fit(
    margin: NDArray[np.float32], targets: Targets, known: NDArray[np.bool_], choice: Choice
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The common curve (2,) and each word's own offset (W,), by Newton's method."""
    words = margin.shape[1]
    x = margin[known].astype(np.float64)
    y, weight = targets.likely[known].astype(np.float64), targets.weight[known].astype(np.float64)
    word = np.nonzero(known)[1]
    hold = np.concatenate([np.full(2, 2 * HOLD_USUAL), np.full(words, choice.spread**-2)])
    centre = np.concatenate([USUAL, np.zeros(words)])
    found = centre.copy()
    for _ in range(NEWTON_STEPS):
        chance = 1 / (1 + np.exp(-(found[0] + found[1] * x + found[2 + word])))
        missed, steep = weight * (y - chance), weight * chance * (1 - chance)
        gradient = -hold * (found - centre)
        gradient[:2] += [missed.sum(), (missed * x).sum()]
        gradient[2:] += np.bincount(word, missed, words)
        found += np.linalg.solve(_curvature(x, steep, word, hold), gradient)
    return found[:2], found[2:]


def _curvature(
    x: NDArray[np.float64],
    steep: NDArray[np.float64],
    word: NDArray[np.int64],
    hold: NDArray[np.float64],
) -> NDArray[np.float64]:
    words = len(hold) - 2
    matrix = np.diag(hold)
    matrix[0, 0] += steep.sum()
    matrix[1, 1] += (steep * x * x).sum()
    matrix[0, 1] = matrix[1, 0] = (steep * x).sum()
    matrix[0, 2:] = matrix[2:, 0] = np.bincount(word, steep, words)
    matrix[1, 2:] = matrix[2:, 1] = np.bincount(word, steep * x, words)
    matrix[range(2, words + 2), range(2, words + 2)] += np.bincount(word, steep, words)
    return matrix


def _margins(
    log_odds: NDArray[np.float32], thresholds: NDArray[np.float32], broader: tuple[int, ...]
) -> NDArray[np.float32]:
    """How far each word is above its threshold, in log-odds; narrower words lift broader ones."""
    lifted = lift_broader(sigmoid(log_odds), broader)
    return (_log_odds(lifted) - _log_odds(thresholds)).astype(np.float32)


def _log_odds(probability: NDArray[np.float32]) -> NDArray[np.float64]:
    clipped = np.clip(probability.astype(np.float64), 1e-5, 1 - 1e-5)
    return np.log(clipped / (1 - clipped))
