"""How likely each word of the vocabulary is: three witnesses, weighed word by word and calibrated.

For each word (1) the classifier's classes, summed up the hierarchy, (2) the likeness of the photo's
embedding to sentences about the word, and (3) a linear probe on pooled features that learned from
captions speak in log-odds. Their weighted sum goes through a monotone curve, shared by the words of
a group, that makes it a probability: see `vision.training.tags.fusion`. What an owner's corrections
taught is added after that, linear in the embedding: see `vision.training.owned.tags`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.backbones.base import Features
from vision.probabilities import softmax

# Log-odds of the classifier are cut here: beyond, int8 logits say nothing more.
FOLD_LIMIT = 1e-5


@dataclass(frozen=True, slots=True)
class WordModel:
    """Numbers for W words: D is the width of the embedding, F of pooled and stride-16 features.

    Shapes: fold (W, 1000), 0 or 1; prompts (W, D) of unit norm; probe (W, F); weights (W, 4) of a
    bias, classes, likeness and probe, zeros where a word lacks one; group (W,) says which of the
    curves with K knots a word follows; knots and values (groups, K). taught (W, D + 1), or None:
    what corrections add to calibrated log-odds, the bias last.
    """

    fold: NDArray[np.float32]
    prompts: NDArray[np.float32]
    probe: NDArray[np.float32]
    weights: NDArray[np.float32]
    group: NDArray[np.int64]
    knots: NDArray[np.float32]
    values: NDArray[np.float32]
    taught: NDArray[np.float32] | None = None

    def probabilities(
        self, features: Features, embeddings_BD: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """(B, W) between 0 and 1."""
        log_odds_BW = self.untaught(features, embeddings_BD)
        if self.taught is not None:
            log_odds_BW += embeddings_BD @ self.taught[:, :-1].T + self.taught[:, -1]
        return sigmoid(log_odds_BW)

    def untaught(
        self, features: Features, embeddings_BD: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Calibrated log-odds (B, W), before what corrections taught."""
        witnesses = (
            fold_log_odds(features.logits, self.fold),
            embeddings_BD @ self.prompts.T,
            probe_input(features) @ self.probe.T,
        )
        log_odds_BW = weigh(witnesses, self.weights)
        return bend(log_odds_BW, self.group, self.knots, self.values)


Witnesses = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def weigh(witnesses: Witnesses, weights_W4: NDArray[np.float32]) -> NDArray[np.float32]:
    """The weighted sum of what (B, W) classes, likeness and probe say: log-odds (B, W)."""
    total = np.broadcast_to(weights_W4[:, 0], witnesses[0].shape).astype(np.float32)
    for number, each in enumerate(witnesses, start=1):
        total += weights_W4[:, number] * each
    return total


def calibrate(
    log_odds_BW: NDArray[np.float32],
    group_W: NDArray[np.int64],
    knots_GK: NDArray[np.float32],
    values_GK: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Probabilities (B, W): log-odds through the curve of each word's group."""
    return sigmoid(bend(log_odds_BW, group_W, knots_GK, values_GK))


def bend(
    log_odds_BW: NDArray[np.float32],
    group_W: NDArray[np.int64],
    knots_GK: NDArray[np.float32],
    values_GK: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Calibrated log-odds (B, W), before they are made probabilities."""
    bent = np.empty_like(log_odds_BW)
    for group in np.unique(group_W):
        columns = group_W == group
        bent[:, columns] = np.interp(log_odds_BW[:, columns], knots_GK[group], values_GK[group])
    return bent


def fold_log_odds(
    logits_BC: NDArray[np.float32], fold_WC: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Log-odds (B, W) that the photo's class is one of a word's; 0 for words without classes."""
    summed = np.clip(softmax(logits_BC) @ fold_WC.T, FOLD_LIMIT, 1 - FOLD_LIMIT)
    return np.where(fold_WC.any(axis=1), np.log(summed / (1 - summed)), 0.0).astype(np.float32)


def probe_input(features: Features) -> NDArray[np.float32]:
    """What a probe reads, (B, F)."""
    return np.concatenate([features.pooled, features.stride16], axis=1)


def sigmoid(log_odds: NDArray[np.float32]) -> NDArray[np.float32]:
    return (1.0 / (1.0 + np.exp(-np.clip(log_odds, -30, 30)))).astype(np.float32)
