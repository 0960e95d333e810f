"""How good a classifier is, on photos that it has not learned from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vision.classifying.fitting import Examples
from vision.classifying.looking import Floats
from vision.heads.classifier import ClassifierNetwork

CONFUSIONS = 12
EXAMPLES = 4  # photos shown of each confusion
BINS = 10


@dataclass(frozen=True, slots=True)
class Answers:
    """What a classifier says of N photos: labels (N,), probabilities (N,), whether said (N,)."""

    label: NDArray[np.int64]
    probability: Floats
    said: NDArray[np.bool_]


@torch.inference_mode()
def answers_of(network: ClassifierNetwork, described: Floats) -> Answers:
    label, probability, said = network.said(torch.from_numpy(described))
    return Answers(label.numpy(), probability.numpy(), said.numpy())


def figures_of(
    network: ClassifierNetwork, test: Examples, labels: Sequence[str], names: Sequence[str]
) -> dict[str, Any]:
    """Figures on test photos; `names` are those of the photos, to show what was confused."""
    own = test.labels < len(labels)
    answers = answers_of(network, test.plain)
    right = answers.label[own] == test.labels[own]
    by_class = _by_class(answers, test.labels, labels)
    recalls = [row["recall"] for row in by_class.values() if row["photos"]]
    said = answers.said[own]
    return {
        "photos": int(own.sum()),
        "top1": _share(right),
        "top1_mean_of_classes": float(np.mean(recalls)) if recalls else 0.0,
        "said": _share(said),
        "right_when_said": _share(right[said]),
        "calibration_error": calibration_error(answers.probability[own], right),
        "background": _background(answers, ~own),
        "by_class": by_class,
        "confusions": confusions(answers.label[own], test.labels[own], labels, names),
    }


def _background(answers: Answers, others: NDArray[np.bool_]) -> dict[str, Any]:
    """How often photos of none of the classes get a tag, which is never right."""
    return {"photos": int(others.sum()), "tagged": _share(answers.said[others])}


def _by_class(
    answers: Answers, truth: NDArray[np.int64], labels: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Of each class: how many of its photos are known, and how often its tag is right if said."""
    rows = {}
    for number, label in enumerate(labels):
        own, said = truth == number, answers.said & (answers.label == number)
        rows[label] = {
            "photos": int(own.sum()),
            "recall": _share(answers.label[own] == number),
            "said": int(said.sum()),
            "precision": _share(own[said]),
        }
    return rows


def confusions(
    guess: NDArray[np.int64], truth: NDArray[np.int64], labels: Sequence[str], names: Sequence[str]
) -> list[dict[str, Any]]:
    """Pairs of classes that are taken for one another, most frequent first, with photos."""
    pairs: dict[tuple[int, int], list[str]] = {}
    for said, true, name in zip(guess.tolist(), truth.tolist(), names, strict=True):
        if said != true:
            pairs.setdefault((true, said), []).append(name)
    worst = sorted(pairs.items(), key=lambda pair: (-len(pair[1]), pair[0]))[:CONFUSIONS]
    return [
        {"is": labels[t], "taken_for": labels[s], "photos": len(each), "examples": each[:EXAMPLES]}
        for (t, s), each in worst
    ]


def calibration_error(probability: Floats, right: NDArray[np.bool_]) -> float:
    """How far probabilities are from how often they come true, on average (ECE, ten bins)."""
    if not len(right):
        return 0.0
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    gaps = [
        abs(float(probability[bins == b].mean()) - float(right[bins == b].mean()))
        * float((bins == b).mean())
        for b in np.unique(bins)
    ]
    return float(np.sum(gaps))


def _share(flags: NDArray[np.bool_]) -> float:
    """Of none, 0."""
    return float(flags.mean()) if len(flags) else 0.0
