"""How well words find photos, and how good the cut-off is: words that photos have, asked with those
photos there and without."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np

from search.cutoff import SAMPLE, Background, confident
from search.index.protocol import Vectors
from search.query import parse
from search.rank import Hit, rank
from search.signals import Texts, opinions
from search.words import STOP_WORDS, content_words, split, stem

# Words that so many photos of a thousand have: rarer ones say little, commoner ones are no search.
RAREST, COMMONEST = 0.004, 0.25


class Judged(NamedTuple):
    """Which photos (positions) have a word for certain, and of which that is not clear."""

    relevant: frozenset[int]
    unclear: frozenset[int]


@dataclass(frozen=True, slots=True)
class Library:
    """What search knows about photos: embeddings (n, dim) and texts, in the same order."""

    vectors: Vectors
    texts: Sequence[Texts]

    def without(self, photos: frozenset[int]) -> Library:
        kept = [place for place in range(len(self.texts)) if place not in photos]
        return Library(self.vectors[kept], [self.texts[place] for place in kept])

    def answer(self, text: str, query: Vectors, generic: Vectors) -> list[int]:
        """Ids of the photos before the cut-off for `text` with the embedding `query` (dim,)."""
        hits = self.ranked(text, query, generic)
        return [hit.photo_id for hit in hits[: confident(hits)]]

    def ranked(self, text: str, query: Vectors, generic: Vectors) -> list[Hit]:
        """All photos in the order of their fitness for `text` with the embedding `query` (dim,)."""
        ids = np.array([texts.photo_id for texts in self.texts], np.int64)
        sample = self.vectors[:: max(1, len(ids) // SAMPLE)][:SAMPLE]
        speaking = opinions(
            query,
            content_words(text),
            background=Background(sample, generic),
            photos=(ids, self.vectors),
            texts=self.texts,
        )
        return rank(parse(text, date.today()), speaking, len(ids))


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
    library: Library,
    words: Mapping[str, Judged],
    embedded: Mapping[str, Vectors],
    generic: Vectors,
) -> dict[str, float]:
    """Of results before the cut-off, the share that is right (`precision`); of photos that have the
    word, the share that comes before it (`recall_kept`); of words of which every photo was taken
    away, the share that is answered all the same (`false_alarms`)."""
    right = shown = wanted = alarms = 0
    places = {texts.photo_id: place for place, texts in enumerate(library.texts)}
    for word, judged in words.items():
        answer = {places[i] for i in library.answer(word, embedded[word], generic)}
        right += len(answer & judged.relevant)
        shown += len(answer - judged.unclear)
        wanted += len(judged.relevant)
        rest = library.without(judged.relevant | judged.unclear)
        alarms += bool(rest.answer(word, embedded[word], generic))
    return {
        "queries": len(words),
        "precision": right / max(shown, 1),
        "recall_kept": right / max(wanted, 1),
        "false_alarms": alarms / max(len(words), 1),
    }


def keyword_figures(
    library: Library,
    words: Mapping[str, Judged],
    embedded: Mapping[str, Vectors],
    generic: Vectors,
) -> dict[str, float | dict[str, float]]:
    """Average precision of the whole order for each word, and its mean (`map`) over the words.

    Photos of which it is not clear whether they have the word are left out of the order.
    """
    places = {texts.photo_id: place for place, texts in enumerate(library.texts)}
    by_word = {}
    for word, judged in words.items():
        order = (places[hit.photo_id] for hit in library.ranked(word, embedded[word], generic))
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
