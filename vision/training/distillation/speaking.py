"""Teach a student's features to speak in the teacher's terms: closed form, no labels.

Ridge regression from what the student sees of training photos to what the teacher sees, then the
best approximation of it through a bottleneck (reduced-rank regression, Izenman 1975): the heads of
a version use far fewer directions than features have numbers.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from vision.adopting.fitting import LinearMap, Ridge, explained
from vision.backbones.inception_views import Speaker, SpeakerConfig
from vision.collection import Collection
from vision.training.features import FeatureCache

Rows = NDArray[np.float32]
LEFT_OUT_EVERY = 10  # photos: the penalty is chosen on them
PARTS = ("pooled", "stride16", "logits")


@dataclass(frozen=True, slots=True)
class Seen:
    """Photos as the student sees them (n, 2816) and as the teacher does (n, 2400), standardised."""

    student: Rows
    teacher: Rows
    mean: Rows
    deviation: Rows


def what_both_see(
    collections: list[Collection], split: str, *, student: FeatureCache, teacher: FeatureCache
) -> Seen:
    """Cached features of both, whole photos; the teacher's standardised part by part."""
    mine = np.concatenate([_joined(student, c, split, ("pooled", "stride16")) for c in collections])
    theirs = np.concatenate([_joined(teacher, c, split, PARTS) for c in collections])
    mean, deviation = theirs.mean(axis=0), theirs.std(axis=0) + 1e-3
    return Seen(mine, (theirs - mean) / deviation, mean, deviation)


def fit_speaker(seen: Seen, config: SpeakerConfig) -> tuple[Speaker, dict[str, float]]:
    """The speaker, and what it explains of left-out photos before and after the bottleneck."""
    left_out = np.arange(len(seen.student)) % LEFT_OUT_EVERY == 0
    x, y = seen.student[~left_out], seen.teacher[~left_out]
    probes, answers = seen.student[left_out], seen.teacher[left_out]
    full = Ridge(x, probes).fit(y, answers)
    _, _, directions = np.linalg.svd(full(x) - y.mean(axis=0), full_matrices=False)
    kept = directions[: config.rank].T.astype(np.float32)
    speaker = _speaker(full, kept, seen, config)
    short = (full(probes) - full.bias) @ kept @ kept.T + full.bias
    figures = {"explained": full.explained, "explained_by_rank": explained(short, answers)}
    return speaker, {name: round(value, 4) for name, value in figures.items()}


@torch.no_grad()
def _speaker(full: LinearMap, kept: Rows, seen: Seen, config: SpeakerConfig) -> Speaker:
    """Two layers: into the kept directions, and out of them into the teacher's own units."""
    speaker = Speaker(config)
    speaker.down.weight.copy_(torch.from_numpy((full.matrix @ kept).T))
    speaker.down.bias.zero_()
    speaker.up.weight.copy_(torch.from_numpy(kept * seen.deviation[:, None]))
    speaker.up.bias.copy_(torch.from_numpy(full.bias * seen.deviation + seen.mean))
    return speaker


def _joined(
    cache: FeatureCache, collection: Collection, split: str, parts: tuple[str, ...]
) -> Rows:
    found = [cache.load(collection, split, part, "plain") for part in parts]
    return np.concatenate(found, axis=1).astype(np.float32)
