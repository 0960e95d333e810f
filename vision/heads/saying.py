"""Which words are said of a photo, once each has a probability.

No tag is better than a wrong one, and some wrong ones hurt: where a person is likely, words that
insult people are not said at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Said = list[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Rules:
    """When words are said.

    `broader`: the number of each word's broader word, -1 for none; broader ones come first.
    `thresholds`: lowest probability at which each is said, above 1 for never. `hurtful` are never
    said where one of the words `people` is at least `person_likely` probable.
    """

    words: tuple[str, ...]
    broader: tuple[int, ...]
    thresholds: NDArray[np.float32]
    hurtful: NDArray[np.bool_]
    people: NDArray[np.bool_]
    person_likely: float
    most: int

    def said(self, probabilities_BW: NDArray[np.float32]) -> list[Said]:
        """(word, probability) pairs of each photo, most probable first.

        A broader word is left out when a narrower one is said: search finds it by both.
        """
        likely = lift_broader(probabilities_BW, self.broader)
        says = self._says(likely, self.thresholds)
        return [self._in_order(own, row) for own, row in zip(likely, says, strict=True)]

    def doubtful(self, probabilities_BW: NDArray[np.float32], margin: float) -> NDArray[np.bool_]:
        """Photos (B,) of which other words would be said if every threshold lay `margin` (log-odds)
        lower than if it lay as much higher."""
        likely = lift_broader(probabilities_BW, self.broader)
        more, fewer = (self._says(likely, self._moved(by)) for by in (-margin, margin))
        doubtful: NDArray[np.bool_] = (more != fewer).any(axis=1)
        return doubtful

    def _moved(self, by: float) -> NDArray[np.float32]:
        """Thresholds `by` higher, in log-odds; of what is never said they stay."""
        odds = np.exp(by) * self.thresholds / np.maximum(1 - self.thresholds, 1e-6)
        return np.where(self.thresholds < 1, odds / (1 + odds), self.thresholds).astype(np.float32)

    def without_mercy(self) -> "Rules":
        """The same rules, but nothing is withheld: to measure what the list of words is worth."""
        return replace(self, hurtful=np.zeros_like(self.hurtful))

    def withheld(self, probabilities_BW: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which words are not said for the sake of people, (B, W)."""
        people = probabilities_BW[:, self.people]
        has_person = (people >= self.person_likely).any(axis=1)
        return np.logical_and(np.asarray(has_person)[:, None], self.hurtful)

    def _says(
        self, likely_BW: NDArray[np.float32], thresholds: NDArray[np.float32]
    ) -> NDArray[np.bool_]:
        """Which words are said (B, W) from these thresholds on: the `most` probable of those that
        no narrower one implies."""
        says = (likely_BW >= thresholds) & ~self.withheld(likely_BW)
        says &= ~implied(says, self.broader)
        for row in np.flatnonzero(says.sum(axis=1) > self.most):
            order = np.argsort(-np.where(says[row], likely_BW[row], -1), kind="stable")
            says[row, order[self.most :]] = False
        return says

    def _in_order(self, likely_W: NDArray[np.float32], says_W: NDArray[np.bool_]) -> Said:
        said = sorted(np.flatnonzero(says_W), key=lambda number: -likely_W[number])
        return [(self.words[number], float(likely_W[number])) for number in said]


def lift_broader(
    probabilities_BW: NDArray[np.float32], broader: Sequence[int]
) -> NDArray[np.float32]:
    """No broader word is less likely than its narrower ones: a dog is an animal."""
    lifted = probabilities_BW.copy()
    for number in range(len(broader) - 1, -1, -1):
        above = broader[number]
        if above >= 0:
            lifted[:, above] = np.maximum(lifted[:, above], lifted[:, number])
    return lifted


def implied(says_BW: NDArray[np.bool_], broader: Sequence[int]) -> NDArray[np.bool_]:
    """Which words (B, W) are broader than one that is said."""
    above_BW = np.zeros_like(says_BW)
    for number in range(len(broader) - 1, -1, -1):
        if (above := broader[number]) >= 0:
            above_BW[:, above] |= says_BW[:, number] | above_BW[:, number]
    return above_BW


def chain(number: int, broader: Sequence[int]) -> list[int]:
    """The numbers of all words broader than one, nearest first."""
    found = []
    while (number := broader[number]) >= 0:
        found.append(number)
    return found
