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
        says = (likely >= self.thresholds) & ~self.withheld(likely)
        return [self._best(own, row) for own, row in zip(likely, says, strict=True)]

    def doubtful(self, probabilities_BW: NDArray[np.float32], margin: float) -> NDArray[np.bool_]:
        """Photos (B,) of which other words would be said if every threshold lay `margin` (log-odds)
        lower than if it lay as much higher."""
        lower, higher = (self._moved(by).said(probabilities_BW) for by in (-margin, margin))
        words = [[{word for word, _ in said} for said in each] for each in (lower, higher)]
        return np.array([few != many for many, few in zip(*words, strict=True)], dtype=bool)

    def _moved(self, by: float) -> "Rules":
        """The same rules with thresholds `by` higher, in log-odds; what is never said stays so."""
        odds = np.exp(by) * self.thresholds / np.maximum(1 - self.thresholds, 1e-6)
        moved = np.where(self.thresholds < 1, odds / (1 + odds), self.thresholds)
        return replace(self, thresholds=moved.astype(np.float32))

    def without_mercy(self) -> "Rules":
        """The same rules, but nothing is withheld: to measure what the list of words is worth."""
        return replace(self, hurtful=np.zeros_like(self.hurtful))

    def withheld(self, probabilities_BW: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which words are not said for the sake of people, (B, W)."""
        people = probabilities_BW[:, self.people]
        has_person = (people >= self.person_likely).any(axis=1)
        return np.logical_and(np.asarray(has_person)[:, None], self.hurtful)

    def _best(self, probabilities_W: NDArray[np.float32], says_W: NDArray[np.bool_]) -> Said:
        said = np.flatnonzero(says_W)
        implied = {above for number in said for above in chain(int(number), self.broader)}
        own = [number for number in said if number not in implied]
        own.sort(key=lambda number: -probabilities_W[number])
        return [(self.words[n], float(probabilities_W[n])) for n in own[: self.most]]


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


def chain(number: int, broader: Sequence[int]) -> list[int]:
    """The numbers of all words broader than one, nearest first."""
    found = []
    while (number := broader[number]) >= 0:
        found.append(number)
    return found
