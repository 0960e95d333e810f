"""Fit what search believes: lines for known words, and the weights of the cut-off.

Only photos of training splits are used. Their embeddings know the captions that were learned with
them, so a caption's own photo is left out when the cut-off is fitted; other photos that show the
same are what it learns from.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from search.cutoff import Background, Witnesses, kind_of
from search.fitting import fit_lines, logistic
from search.index.protocol import Vectors
from search.known import KnownWords, nothing_known
from search.words import content_words
from vision.text_encoder import TextEncoder
from vision.vocabulary import vocabulary
from webapp.find.judging import Judgements, vocabulary_forms

# Photos that must show a word of the vocabulary, or any other word, before a line is fitted.
FEWEST_OF_VOCABULARY, FEWEST_OF_OTHERS = 20, 40
RIDGE = 100.0
SEVERAL_CAPTIONS = 2.0  # how much more a photo counts that several people described
LIBRARIES = (30, 100, 300, 1_500)  # photos
QUERIES = 200  # of each kind in each library
WEIGHED: Mapping[str, tuple[str, ...]] = {
    "word": ("order", "top", "top_likeness"),
    "several": ("order", "top", "top_weakest", "log_words", "unknown", "small"),
    "unknown": ("order", "top", "log_words", "small"),
}

Question = tuple[str, NDArray[np.float64], int | None]  # text, truth, its own photo


@dataclass(frozen=True)
class Training:
    """Photos of one collection: what is known of them, and their embeddings (n, dim)."""

    judgements: Judgements
    photos: Vectors

    @property
    def is_well_described(self) -> bool:
        return float(np.mean([len(each.captions) for each in self.judgements.written])) > 1.5


@dataclass
class Gathered:
    """Witnesses and truth of one kind of query, to be fitted."""

    features: list[NDArray[np.float64]] = field(default_factory=list)
    right: list[NDArray[np.float64]] = field(default_factory=list)


def fit_known_words(trainings: Sequence[Training]) -> KnownWords:
    """Lines for the words that enough photos show."""
    counted: dict[str, int] = defaultdict(int)
    for each in trainings:
        for thing, count in each.judgements.things_shown().items():
            counted[thing] += count
    things = sorted(thing for thing, count in counted.items() if count >= _fewest(thing))
    shown = np.concatenate([_shown(each.judgements, things) for each in trainings])
    weights = [
        np.full(len(each.photos), SEVERAL_CAPTIONS if each.is_well_described else 1.0)
        for each in trainings
    ]
    photos = np.concatenate([each.photos for each in trainings])
    lines, biases = fit_lines(photos, shown, np.concatenate(weights), ridge=RIDGE)
    row = {thing: number for number, thing in enumerate(things)}
    forms = {form: row[name] for form, name in vocabulary_forms().items() if name in row}
    others = {thing: number for thing, number in row.items() if thing not in vocabulary()}
    return KnownWords(others | forms, lines, biases)


def fit_cutoff(
    trainings: Sequence[Training], known: KnownWords, encoder: TextEncoder, generic: Vectors
) -> dict[str, dict[str, float]]:
    """The weights of `search.cutoff.FITTED` but for where the cut-off is."""
    chance = np.random.default_rng(0)
    gathered: dict[str, Gathered] = defaultdict(Gathered)
    usual: list[tuple[float, float]] = []
    for training in trainings:
        for size in LIBRARIES:
            _gather(training, size, known, encoder, generic, chance, gathered, usual)
    weights = {kind: _weights(kind, gathered[kind]) for kind in WEIGHED}
    median, spread = np.median(np.array(usual), axis=0)
    return {"others": {"median": float(median), "spread": float(spread)}, **weights}


def _gather(
    training: Training,
    size: int,
    known: KnownWords,
    encoder: TextEncoder,
    generic: Vectors,
    chance: np.random.Generator,
    gathered: dict[str, Gathered],
    usual: list[tuple[float, float]],
) -> None:
    """Ask a library of `size` photos, with what is asked for in it and without."""
    for number, (text, truth, own) in enumerate(_questions(training.judgements, chance)):
        rows = chance.choice(len(training.photos), size, replace=False)
        photos, truth = training.photos[rows], np.where(rows == own, np.nan, truth[rows])
        query = encoder.encode([text])[0]
        if size == max(LIBRARIES):
            median, upper = np.quantile(photos @ query, [0.5, 0.84])
            usual.append((float(median), float(upper - median)))
        words = known if number % 4 else nothing_known(photos.shape[1])
        asked = words.asked(content_words(text))
        for kept in (~np.isnan(truth), truth == 0):
            background = Background(photos[kept][:1_000], generic, words)
            witnesses = background.witnesses(query, photos[kept], asked)
            into = gathered[kind_of(asked)]
            into.features.append(_matrix(witnesses, kind_of(asked)))
            into.right.append(truth[kept])


def _questions(judgements: Judgements, chance: np.random.Generator) -> Iterator[Question]:
    """Words, and for photos that several people described sentences and parts of them. Truth is 1,
    0 or nan where it is not clear."""
    words = list(judgements.words().items())
    for place in chance.permutation(len(words))[:QUERIES]:
        word, judged = words[place]
        truth = np.zeros(len(judgements.written))
        truth[list(judged.relevant)] = 1
        truth[list(judged.unclear)] = np.nan
        yield word, truth, None
    if not any(len(each.captions) > 1 for each in judgements.written):
        return
    for place in chance.permutation(len(judgements.written))[:QUERIES]:
        captions = judgements.written[place].captions
        if captions:
            text = _perhaps_shortened(captions[chance.integers(len(captions))], chance)
            grades = judgements.grades(text)
            yield text, np.select([grades >= 2, grades == 1], [1.0, np.nan], 0.0), int(place)


def _perhaps_shortened(text: str, chance: np.random.Generator) -> str:
    """Half of all captions become two or three of their words, as people search."""
    words = [word.text for word in content_words(text)]
    if len(words) < 4 or chance.random() < 0.5:
        return text
    kept = sorted(chance.choice(len(words), chance.integers(2, 4), replace=False).tolist())
    return " ".join(words[place] for place in kept)


def _weights(kind: str, gathered: Gathered) -> dict[str, float]:
    features = np.concatenate(gathered.features)
    found = logistic(features, np.concatenate(gathered.right))
    names = ("bias", *WEIGHED[kind])
    return {name: round(float(value), 4) for name, value in zip(names, found, strict=True)}


def _matrix(witnesses: Witnesses, kind: str) -> NDArray[np.float64]:
    ones = np.ones(len(witnesses["order"]))
    return np.stack([ones, *(witnesses[name] for name in WEIGHED[kind])], axis=1)


def _shown(judgements: Judgements, things: Sequence[str]) -> NDArray[np.bool_]:
    return np.stack([judgements.shown(thing) > 0 for thing in things], axis=1)


def _fewest(thing: str) -> int:
    return FEWEST_OF_VOCABULARY if thing in vocabulary() else FEWEST_OF_OTHERS
