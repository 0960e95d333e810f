"""Which photos a classifier learns from, is chosen by, and is judged on.

Near-duplicates are one group, and a group is on one side: judged on a copy of what it learned, a
classifier would look better than it is.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vision.classifying.snapshot import TEST, TRAIN, VALIDATION

SHARE = 0.15  # of each class, for choosing and for judging each
# A group that is so much of its class is not one of copies: all photos of it look alike, as those
# of eyes do.
MOST_OF_A_CLASS = 0.4


@dataclass(frozen=True, slots=True)
class Split:
    """The side of each photo, and classes whose photos all look alike."""

    sides: Sequence[str]
    look_alike: Sequence[int]


def split(
    labels: Sequence[int], digests: Sequence[str], copies: Iterable[tuple[int, int]]
) -> Split:
    """The sides of photos with these labels and SHA-256s, of which some pairs are `copies`.

    The same photos are split in the same way, whatever order they come in.
    """
    group = _groups(len(labels), copies)
    sizes: dict[int, int] = defaultdict(int)
    for label in labels:
        sizes[label] += 1
    alike = _look_alike(labels, group, sizes)
    members: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number, label in enumerate(labels):
        alone = label in alike
        members[(-1, number) if alone else (0, group[number])].append(number)
    sides = [TRAIN] * len(labels)
    wanted = {label: {TEST: _wanted(n), VALIDATION: _wanted(n)} for label, n in sizes.items()}
    for own in sorted(members.values(), key=lambda own: _order(own, digests)):
        side = _side(own, labels, wanted)
        for number in own:
            sides[number] = side
    return Split(sides, sorted(alike))


def _wanted(photos: int) -> int:
    return max(1, round(SHARE * photos))


def _order(own: Sequence[int], digests: Sequence[str]) -> tuple[int, str]:
    """Small groups first, as they fit; otherwise by chance that is always the same."""
    least = min(digests[number] for number in own)
    return len(own), hashlib.sha256(least.encode()).hexdigest()


def _side(own: Sequence[int], labels: Sequence[int], wanted: dict[int, dict[str, int]]) -> str:
    """The side that still wants so many of the class; what fits none, or has two, is learned."""
    label = labels[own[0]]
    if any(labels[number] != label for number in own):
        return TRAIN
    for side in (TEST, VALIDATION):
        if len(own) <= wanted[label][side]:
            wanted[label][side] -= len(own)
            return side
    return TRAIN


def _look_alike(labels: Sequence[int], group: Sequence[int], sizes: dict[int, int]) -> set[int]:
    counts: dict[tuple[int, int], int] = defaultdict(int)
    for label, own in zip(labels, group, strict=True):
        counts[label, own] += 1
    return {
        label
        for (label, _), count in counts.items()
        if count > 1 and count > MOST_OF_A_CLASS * sizes[label]
    }


def _groups(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """The least number of each photo's group."""
    parent = list(range(count))

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    for one, other in pairs:
        first, second = sorted((root(one), root(other)))
        parent[second] = first
    return [root(number) for number in range(count)]
