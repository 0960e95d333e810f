"""When a classifier may speak: calibrated probabilities, and a threshold for each class.

Of two demands the higher one holds: what is said is right nine times in ten, and of the right
answers one in twelve may go unsaid, so that photos which are like nothing known stay without a tag.
"""

import numpy as np
import torch
from torch.nn import functional

from vision.classifying.fitting import Examples, Floats, Ints
from vision.heads.classifier import ClassifierNetwork

PRECISION = 0.9
UNSAID = 0.08  # of the right answers, for the sake of silence elsewhere
FAR = 0.05  # of a class's own photos, which count as too far from it
# A class with few validation photos borrows from all of them: so many photos' worth.
BORROWED = 4.0
STEPS = 101
# Not below a half, which a handful of photos that are all right would ask for.
TEMPERATURES = np.geomspace(0.5, 5.0, 65)


@torch.no_grad()
def calibrate(network: ClassifierNetwork, train: Examples, validation: Examples) -> None:
    """Set temperature and thresholds from photos that the network has not learned, and nearness
    from how far each photo lies from the others of its class."""
    described = torch.from_numpy(validation.plain)
    labels = torch.from_numpy(validation.labels)
    network.temperature.fill_(_temperature(network(described), labels))
    network.thresholds.zero_()
    network.nearest.fill_(-1.0)
    said, probability, _ = (each.numpy() for each in network.said(described))
    right = said == validation.labels
    classes = network.config.classes
    network.thresholds.copy_(torch.from_numpy(thresholds(said, probability, right, classes)))
    network.nearest.fill_(float(np.quantile(_nearness_to_others(network, train), FAR)))


def _nearness_to_others(network: ClassifierNetwork, train: Examples) -> Floats:
    """Cosine of each training photo to the middle of its class without it, which is as if it had
    been kept aside: validation photos alone are too few to say how far a class reaches."""
    own = train.labels < network.config.classes
    units = functional.normalize(network.standardised(torch.from_numpy(train.plain[own])), dim=1)
    labels = torch.from_numpy(train.labels[own])
    sums = torch.zeros_like(network.middles).index_add_(0, labels, units)
    others = functional.normalize(sums[labels] - units, dim=1)
    nearness: Floats = (units * others).sum(dim=1).numpy()
    return nearness


def _temperature(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """The one under which the right answers are likeliest (Guo et al. 2017, arXiv:1706.04599)."""
    losses = [float(functional.cross_entropy(logits / t, labels)) for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def thresholds(said: Ints, probability: Floats, right: np.ndarray, classes: int) -> Floats:
    """The least probability with which each class may be said, (classes,); 1 where none will do."""
    found = np.ones(classes, np.float32)
    if not right.any():
        return found
    # Of a handful of right answers, the least sure one says little about those to come: then it is
    # left to nearness to keep silent.
    least = float(np.quantile(probability[right], UNSAID)) * right.sum() / (right.sum() + BORROWED)
    steps = np.quantile(probability, np.linspace(0, 1, STEPS)).astype(np.float32)
    spoken, good = _counts(probability, right, steps)
    overall = good / np.maximum(spoken, 1)
    for number in range(classes):
        own = said == number
        spoken, good = _counts(probability[own], right[own], steps)
        # What a class with few photos borrows is as right as all classes are from there on.
        precision = (good + BORROWED * overall) / (spoken + BORROWED)
        enough = np.flatnonzero(precision >= PRECISION)
        if len(enough):
            found[number] = max(least, float(steps[enough[0]]))
    return found


def _counts(probability: Floats, right: np.ndarray, steps: Floats) -> tuple[Ints, Ints]:
    """How many answers are said from each step on, and how many of those are right."""
    spoken = probability[None] >= steps[:, None]
    return spoken.sum(axis=1), (spoken & right[None]).sum(axis=1)
