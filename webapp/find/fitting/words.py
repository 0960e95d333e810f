"""Lines for the words that enough photos show, and what they say of photos in general."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from search.fitting import fit_lines
from search.index.protocol import Vectors
from search.known import CERTAIN, KnownWords
from vision.vocabulary import vocabulary
from webapp.find.relevance.judging import Judgements, vocabulary_forms

# Photos that must show a word of the vocabulary, or any other word, before a line is fitted.
FEWEST_OF_VOCABULARY, FEWEST_OF_OTHERS = 20, 40
RIDGE = 100.0  # of a line that is fitted to all photos
SEVERAL_CAPTIONS = 2.0  # how much more a photo counts that several people described
TAIL = 0.999  # so many of the photos without a word are less like it
FEWEST_SHOWN = 3  # photos with a word that say what its line usually says of them

Chosen = Sequence[NDArray[np.bool_]]  # photos of each training


@dataclass(frozen=True)
class Training:
    """Photos of one collection: what is known of them, and their embeddings (n, dim)."""

    judgements: Judgements
    photos: Vectors

    @property
    def is_well_described(self) -> bool:
        return float(np.mean([len(each.captions) for each in self.judgements.written])) > 1.5

    def is_sure_of(self, thing: str) -> bool:
        """Whether photos of which nobody says `thing` can be believed not to show it."""
        return self.is_well_described or thing in self.labelled

    @cached_property
    def labelled(self) -> frozenset[str]:
        has_labels = any(each.labels for each in self.judgements.written)
        return frozenset(self.judgements.things_to_ask() if has_labels else ())


@dataclass(frozen=True)
class Learned:
    """The lines of all photos, and those of each half for asking about `others`: the rest."""

    known: KnownWords
    of_half: Sequence[KnownWords]
    others: Sequence[Chosen]


def learn_words(trainings: Sequence[Training]) -> Learned:
    """Lines for the words that enough photos show, and what they say of photos in general."""
    things = _things(trainings)
    forms = _forms(things)
    chance = np.random.default_rng(0)
    second = [chance.integers(0, 2, len(each.photos)) == 1 for each in trainings]
    halves = [second, [~each for each in second]]
    fitted = [_lines(trainings, things, half, RIDGE / 2) for half in halves]
    scores = [
        np.where(is_second[:, None], _scores(photos, *fitted[1]), _scores(photos, *fitted[0]))
        for is_second, photos in zip(second, (each.photos for each in trainings), strict=True)
    ]
    usual = _usual(trainings, things, scores)
    everything = [np.ones(len(each.photos), bool) for each in trainings]
    lines, biases = _lines(trainings, things, everything, RIDGE)
    return Learned(
        KnownWords(forms, lines, biases, usual),
        [KnownWords(forms, *each, usual) for each in fitted],
        halves[::-1],
    )


def _things(trainings: Sequence[Training]) -> list[str]:
    counted: dict[str, int] = defaultdict(int)
    for each in trainings:
        for thing, count in each.judgements.things_shown().items():
            counted[thing] += count
    return sorted(thing for thing, count in counted.items() if count >= _fewest(thing))


def _forms(things: Sequence[str]) -> dict[str, int]:
    row = {thing: number for number, thing in enumerate(things)}
    forms = {form: row[name] for form, name in vocabulary_forms().items() if name in row}
    others = {thing: number for thing, number in row.items() if thing not in vocabulary()}
    return others | forms


def _lines(
    trainings: Sequence[Training], things: Sequence[str], chosen: Chosen, ridge: float
) -> tuple[Vectors, Vectors]:
    pairs = list(zip(trainings, chosen, strict=True))
    shown = np.concatenate([_shown(each.judgements, things)[rows] for each, rows in pairs])
    counts = [
        np.full(int(rows.sum()), SEVERAL_CAPTIONS if each.is_well_described else 1.0)
        for each, rows in pairs
    ]
    photos = np.concatenate([each.photos[rows] for each, rows in pairs])
    return fit_lines(photos, shown, np.concatenate(counts), ridge=ridge)


def _scores(photos: Vectors, lines: Vectors, biases: Vectors) -> NDArray[np.float32]:
    return np.clip(photos @ lines.T + biases, -CERTAIN, CERTAIN)


def _usual(
    trainings: Sequence[Training], things: Sequence[str], scores: Sequence[NDArray[np.float32]]
) -> Vectors:
    """`KnownWords.usual` by the `scores` (n, things) of lines not fitted to these photos."""
    usual = np.empty((len(things), 2), np.float32)
    for place, thing in enumerate(things):
        tails, having = [], []
        for each, told in zip(trainings, scores, strict=True):
            without = told[each.judgements.shown(thing) == 0, place]
            if len(without) and each.is_sure_of(thing):
                tails.append(np.quantile(without, TAIL))
            having.append(told[list(each.judgements.judged(thing).relevant), place])
        tail, of_shown = max(tails, default=0.0), np.concatenate(having)
        usual[place] = tail, np.median(of_shown) if len(of_shown) >= FEWEST_SHOWN else tail
    return usual


def _shown(judgements: Judgements, things: Sequence[str]) -> NDArray[np.bool_]:
    return np.stack([judgements.shown(thing) > 0 for thing in things], axis=1)


def _fewest(thing: str) -> int:
    return FEWEST_OF_VOCABULARY if thing in vocabulary() else FEWEST_OF_OTHERS
