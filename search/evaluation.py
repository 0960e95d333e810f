"""How well words find photos, and how good the cut-off is: words that photos have, asked with those
photos there and without."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from search.alike import alike
from search.combine import combine
from search.cutoff import CONFIDENT, SAMPLE, Background
from search.index.protocol import Scores, Vectors
from search.known import KnownWords
from search.query import parse
from search.rank import Hit, rank
from search.signals import Texts, opinions
from search.words import STOP_WORDS, content_words, split, stem

# Words that so many photos of a thousand have: rarer ones say little, commoner ones are no search.
RAREST, COMMONEST = 0.004, 0.25
GLANCE, PAGE = 10, 60  # results that are seen at a glance, and looked through
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))


class Judged(NamedTuple):
    """Which photos (positions) have a word for certain, and of which that is not clear."""

    relevant: frozenset[int]
    unclear: frozenset[int]


@dataclass(frozen=True, slots=True)
class Library:
    """What search knows about photos: embeddings (n, dim) and texts, in the same order; and what
    it compares with, as of `search.cutoff.Background`."""

    vectors: Vectors
    texts: Sequence[Texts]
    generic: Vectors
    known: KnownWords

    def without(self, photos: Set[int]) -> Library:
        kept = [place for place in range(len(self.texts)) if place not in photos]
        return replace(self, vectors=self.vectors[kept], texts=[self.texts[n] for n in kept])

    def ranked(self, text: str, query: Vectors, *, leaving_out: Collection[str] = ()) -> list[Hit]:
        """All photos in the order of their fitness for `text` with the embedding `query` (dim,), by
        all signals but those whose names are left out."""
        ids = np.array([texts.photo_id for texts in self.texts], np.int64)
        sample = self.vectors[:: max(1, len(ids) // SAMPLE)][:SAMPLE]
        speaking = opinions(
            query,
            content_words(text),
            background=Background(sample, self.generic, self.known, len(ids)),
            photos=(ids, self.vectors),
            texts=self.texts,
        )
        kept = [signal for signal in speaking if signal.name not in leaving_out]
        return rank(parse(text, date.today()), kept, len(ids))


def judged_words(captions: Sequence[Sequence[str]]) -> dict[str, Judged]:
    """Words that describe photos, by what people wrote about each photo.

    A photo has a word if two of its captions do, or its only one; if a single one of several does,
    it is not clear. Words are counted by stem and named by their commonest form.
    """
    written = [Counter(w for text in texts for w in set(split(text))) for texts in captions]
    forms = Counter(w for counts in written for w in counts if w not in STOP_WORDS and len(w) > 2)
    named: dict[str, str] = {}
    for word, _ in forms.most_common():
        named.setdefault(stem(word), word)
    stems = [
        Counter(each for text in texts for each in {stem(w) for w in split(text)})
        for texts in captions
    ]
    judged = {word: _judge(each, stems, captions) for each, word in named.items()}
    least, most = RAREST * len(captions), COMMONEST * len(captions)
    return {word: told for word, told in judged.items() if least <= len(told.relevant) <= most}


def judged_labels(labels: Sequence[Sequence[str]]) -> dict[str, Judged]:
    """Names by which photos are labelled; a label is always clear."""
    names = sorted({name for own in labels for name in own})
    return {
        name: Judged(frozenset(at for at, own in enumerate(labels) if name in own), frozenset())
        for name in names
    }


def _judge(word: str, stems: Sequence[Counter[str]], captions: Sequence[Sequence[str]]) -> Judged:
    pairs = list(enumerate(zip(stems, captions, strict=True)))
    sure = frozenset(at for at, (counts, texts) in pairs if counts[word] >= min(2, len(texts)))
    said = frozenset(at for at, (counts, _) in pairs if counts[word])
    return Judged(sure, said - sure)


def cutoff_figures(
    library: Library, queries: Mapping[str, Judged], embedded: Mapping[str, Vectors]
) -> dict[str, Any]:
    """How far the cut-off may be believed, and how it would do elsewhere (`curve`).

    Each query is asked with its photos in the library, and with all taken away that show it or
    may. Of results before the cut-off, `precision` is the share that is right. Of right photos
    among the first `GLANCE` results, `recall_kept` is the share that comes before the cut-off; of
    those among the first `PAGE`, `recall_kept_of_page`; of all in the library, `recall`.
    `false_alarms` is the share of queries that are answered all the same when nothing is left to
    be found; `shown` is the mean number of results before the cut-off.
    """
    asked = [_ask(library, text, embedded[text], judged) for text, judged in queries.items()]
    curve = [{"threshold": t, **_at(asked, t)} for t in THRESHOLDS]
    return {"queries": len(queries), **_at(asked, CONFIDENT), "curve": curve}


def alike_figures(photos: Vectors, labels: Sequence[str]) -> dict[str, Any]:
    """How far the cut-off of searches by example may be believed: each of `photos` (n, dim) asks
    for the others with its label, and once more with all of them taken away. As `cutoff_figures`.
    """
    classes = np.array(labels)
    asked = [_ask_alike(photos, classes, place) for place in range(len(photos))]
    curve = [{"threshold": t, **_at(asked, t)} for t in THRESHOLDS]
    return {"photos": len(photos), **_at(asked, CONFIDENT), "curve": curve}


def _ask_alike(photos: Vectors, classes: NDArray[np.str_], place: int) -> _Asked:
    others = np.arange(len(photos)) != place
    right = classes[others] == classes[place]
    scores = _alike(photos[place], photos[others])
    order = np.argsort(-scores, kind="stable")
    rest = photos[others][~right]
    absent = float(_alike(photos[place], rest).max()) if len(rest) else 0.0
    return _Asked(scores[order].astype(np.float64), right[order], int(right.sum()), absent)


def _alike(example: Vectors, photos: Vectors) -> Scores:
    sample = photos[:: max(1, len(photos) // SAMPLE)][:SAMPLE]
    wanted = combine(example[None], sample)
    return alike(photos, sample, wanted, size=len(photos), examples=1)


class _Asked(NamedTuple):
    """Probabilities of clear results, best first, and which are right; how many are right in the
    library; the best probability when none of them is there."""

    scores: NDArray[np.float64]
    right: NDArray[np.bool_]
    wanted: int
    absent: float


def _ask(library: Library, text: str, query: Vectors, judged: Judged) -> _Asked:
    places = {texts.photo_id: place for place, texts in enumerate(library.texts)}
    clear = [
        (hit.score, place in judged.relevant)
        for hit in library.ranked(text, query)
        if (place := places[hit.photo_id]) not in judged.unclear
    ]
    rest = library.without(judged.relevant | judged.unclear).ranked(text, query)
    return _Asked(
        np.array([score for score, _ in clear]),
        np.array([is_right for _, is_right in clear], bool),
        len(judged.relevant),
        rest[0].score if rest else 0.0,
    )


def _at(asked: Sequence[_Asked], threshold: float) -> dict[str, float]:
    shown = [each.scores >= threshold for each in asked]
    pairs = list(zip(asked, shown, strict=True))
    right = sum(int((each.right & kept).sum()) for each, kept in pairs)
    first, page = (
        sum(int((each.right & kept)[:size].sum()) for each, kept in pairs)
        / max(sum(int(each.right[:size].sum()) for each in asked), 1)
        for size in (GLANCE, PAGE)
    )
    return {
        "precision": right / max(sum(int(kept.sum()) for kept in shown), 1),
        "recall_kept": first,
        "recall_kept_of_page": page,
        "recall": right / max(sum(each.wanted for each in asked), 1),
        "false_alarms": sum(each.absent >= threshold for each in asked) / max(len(asked), 1),
        "shown": sum(int(kept.sum()) for kept in shown) / max(len(asked), 1),
    }


def keyword_figures(
    library: Library, words: Mapping[str, Judged], embedded: Mapping[str, Vectors]
) -> dict[str, float | dict[str, float]]:
    """Average precision of the whole order for each word, and its mean (`map`) over the words.

    Photos of which it is not clear whether they have the word are left out of the order.
    """
    places = {texts.photo_id: place for place, texts in enumerate(library.texts)}
    by_word = {}
    for word, judged in words.items():
        order = (places[hit.photo_id] for hit in library.ranked(word, embedded[word]))
        clear = [place for place in order if place not in judged.unclear]
        by_word[word] = average_precision(clear, judged.relevant)
    return {"map": float(np.mean(list(by_word.values()))), "by_word": by_word}


def average_precision(order: Sequence[int], relevant: frozenset[int]) -> float:
    """Mean, over the relevant, of the precision where each is found; those not found count 0."""
    found, total = 0, 0.0
    for place, each in enumerate(order, start=1):
        if each in relevant:
            found += 1
            total += found / place
    return total / max(len(relevant), 1)
