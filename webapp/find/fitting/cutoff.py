"""The weights of the cut-off, from asking libraries with what is asked for in them and without."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from search.cutoff import WORD, Background, Witnesses, kind_of
from search.evaluation import Judged
from search.fitting import logistic
from search.index.protocol import Vectors
from search.known import KnownWords, nothing_known
from search.words import content_words
from vision.text_encoder import TextEncoder
from webapp.find.fitting.words import Learned, Training
from webapp.find.relevance.judging import Judgements

LIBRARIES = (30, 100, 300, 1_500)  # photos
LIBRARIES_OF_WORDS = (30, 100, 300, 1_000, 3_000)
QUERIES = 200  # of each kind in each library
FURTHEST = 200  # places of a known word's results that are learned from
ABSENT_COUNTS = 5.0  # a word that is not there, against each of the first ten photos of one that is
TOLD = ("known_top", "known_further", "likeness_top", "log_size", "tail", "shown")
WEIGHED: Mapping[str, tuple[str, ...]] = {
    "word": ("order", "tail", "shown", "present", "doubt"),
    "several": ("order", "top", "top_weakest", "log_words", "unknown", "small"),
    "unknown": ("order", "top", "log_words", "small"),
}

Question = tuple[str, NDArray[np.float64], int | None]  # text, truth, its own photo


@dataclass
class Gathered:
    """Witnesses and truth of one kind of query, to be fitted."""

    witnesses: list[Witnesses] = field(default_factory=list)
    right: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, witnesses: Witnesses, right: NDArray[np.float64]) -> None:
        """Of a known word the first results only: nobody looks at those of which it says little."""
        first = np.argsort(-witnesses["order"], kind="stable")
        first = first[:FURTHEST] if "present" in witnesses else first
        self.witnesses.append({name: values[first] for name, values in witnesses.items()})
        self.right.append(right[first])


def fit_cutoff(
    trainings: Sequence[Training], learned: Learned, encoder: TextEncoder, generic: Vectors
) -> dict[str, dict[str, float]]:
    """The weights of `search.cutoff.FITTED` but for where the cut-off is."""
    asking = _Asking(encoder, generic, np.random.default_rng(0))
    for training in trainings:
        for size in LIBRARIES:
            asking.ask_texts(training, learned.known, size)
    for number, training in enumerate(trainings):
        for known, others in zip(learned.of_half, learned.others, strict=True):
            for size in LIBRARIES_OF_WORDS:
                asking.ask_words(training, known, np.flatnonzero(others[number]), size)
    present = _present(asking.gathered[WORD])
    weights = {kind: _weights(kind, asking.gathered[kind]) for kind in WEIGHED}
    median, spread = np.median(np.array(asking.usual), axis=0)
    others_usual = {"median": float(median), "spread": float(spread)}
    return {"others": others_usual, "present": present, **weights}


@dataclass
class _Asking:
    """Asks libraries, with what is asked for in them and without."""

    encoder: TextEncoder
    generic: Vectors
    chance: np.random.Generator
    gathered: dict[str, Gathered] = field(default_factory=lambda: defaultdict(Gathered))
    usual: list[tuple[float, float]] = field(default_factory=list)

    def ask_texts(self, training: Training, known: KnownWords, size: int) -> None:
        """Sentences, parts of them and unknown words, in a library of `size` photos."""
        for number, question in enumerate(_texts(training.judgements, self.chance)):
            rows = self.chance.choice(len(training.photos), size, replace=False)
            words = known if number % 4 else nothing_known(training.photos.shape[1])
            if kind_of(words.asked(content_words(question[0]))) != WORD:
                query = self._ask(question, training, rows, words)
                if size == max(LIBRARIES):
                    median, upper = np.quantile(training.photos[rows] @ query, [0.5, 0.84])
                    self.usual.append((float(median), float(upper - median)))

    def ask_words(
        self, training: Training, known: KnownWords, photos: NDArray[np.int64], size: int
    ) -> None:
        """Known words, in a library of `size` of `photos`, to which `known` was not fitted."""
        if len(photos) < size:
            return
        for question in _words(training.judgements, self.chance):
            rows = self.chance.choice(photos, size, replace=False)
            if kind_of(known.asked(content_words(question[0]))) == WORD:
                self._ask(question, training, rows, known)

    def _ask(
        self, question: Question, training: Training, rows: NDArray[np.int64], words: KnownWords
    ) -> Vectors:
        """Returns the embedding of what is asked."""
        text, truth, own = question
        photos, truth = training.photos[rows], np.where(rows == own, np.nan, truth[rows])
        query = self.encoder.encode([text])[0]
        asked = words.asked(content_words(text))
        for kept in (~np.isnan(truth), truth == 0):
            background = Background(photos[kept][:1_000], self.generic, words, int(kept.sum()))
            witnesses = background.witnesses(query, photos[kept], asked)
            self.gathered[kind_of(asked)].add(witnesses, truth[kept])
        return query


def _words(judgements: Judgements, chance: np.random.Generator) -> Iterator[Question]:
    """Words on which people agree, however rare. Truth is 1, 0 or nan where it is not clear."""
    things = [thing for thing in judgements.things_to_ask() if judgements.judged(thing).relevant]
    for place in chance.permutation(len(things))[:QUERIES]:
        judged = judgements.judged(things[place])
        yield judgements.name(things[place]), _truth(judgements, judged), None


def _texts(judgements: Judgements, chance: np.random.Generator) -> Iterator[Question]:
    """Words that are asked for, and for photos that several people described sentences and parts of
    them."""
    words = list(judgements.words().items())
    for place in chance.permutation(len(words))[:QUERIES]:
        word, judged = words[place]
        yield word, _truth(judgements, judged), None
    if not any(len(each.captions) > 1 for each in judgements.written):
        return
    for place in chance.permutation(len(judgements.written))[:QUERIES]:
        captions = judgements.written[place].captions
        if captions:
            text = _perhaps_shortened(captions[chance.integers(len(captions))], chance)
            grades = judgements.grades(text)
            yield text, np.select([grades >= 2, grades == 1], [1.0, np.nan], 0.0), int(place)


def _truth(judgements: Judgements, judged: Judged) -> NDArray[np.float64]:
    truth = np.zeros(len(judgements.written))
    truth[list(judged.relevant)] = 1
    truth[list(judged.unclear)] = np.nan
    return truth


def _perhaps_shortened(text: str, chance: np.random.Generator) -> str:
    """Half of all captions become two or three of their words, as people search."""
    words = [word.text for word in content_words(text)]
    if len(words) < 4 or chance.random() < 0.5:
        return text
    kept = sorted(chance.choice(len(words), chance.integers(2, 4), replace=False).tolist())
    return " ".join(words[place] for place in kept)


def _present(gathered: Gathered) -> dict[str, float]:
    """The weights by which the best photos tell whether a library has a known word; `gathered` then
    has what they say."""
    rows = np.array([[each[name][0] for name in TOLD] for each in gathered.witnesses])
    rows = np.concatenate([np.ones_like(rows[:, :1]), rows], axis=1)
    found = np.array([float(right[:10].sum()) for right in gathered.right])
    is_there = np.array([float(right.any()) for right in gathered.right])
    counts = np.where(is_there > 0, found, ABSENT_COUNTS)
    weights = logistic(rows, is_there, counts)
    for each, log_odds in zip(gathered.witnesses, rows @ weights, strict=True):
        each["present"] = np.full(len(each["order"]), log_odds)
        each["doubt"] = np.minimum(each["present"], 0.0)
    return _named(("bias", *TOLD), weights)


def _weights(kind: str, gathered: Gathered) -> dict[str, float]:
    features = np.concatenate([_matrix(each, kind) for each in gathered.witnesses])
    found = logistic(features, np.concatenate(gathered.right))
    return _named(("bias", *WEIGHED[kind]), found)


def _named(names: Sequence[str], weights: NDArray[np.float64]) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(names, weights, strict=True)}


def _matrix(witnesses: Witnesses, kind: str) -> NDArray[np.float64]:
    ones = np.ones(len(witnesses["order"]))
    return np.stack([ones, *(witnesses[name] for name in WEIGHED[kind])], axis=1)
