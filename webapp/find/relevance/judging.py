"""Which photos are right answers, by all that people wrote about them.

A photo shows a word if a caption or label names it, a synonym or anything narrower (a puppy is a
dog is an animal). It does so for certain if two captions of several say so, or the only one, or a
label; if one of several does, that is unclear, and the photo counts neither as right nor as wrong.
Captions leave out most of what is there, so only words that people agree on are asked for: of those
who describe what another called so, at least `AGREED` call it so too. Where labels are complete,
they alone are asked for.

A sentence is graded by how much of it photos show, rarer words counting more.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from search.evaluation import Judged
from search.words import STOP_WORDS, content_words, split, stem
from vision.evaluation.tag_truth import Written, labelled, mentioned
from vision.vocabulary import broader_words, plural, vocabulary

# Words that so many photos of a thousand have: rarer ones say little, commoner ones are no search.
RAREST, COMMONEST = 0.004, 0.5
AGREED = 1 / 2
LONGEST = 4  # words in a name
# Shares of a sentence from which a photo is graded 1, 2, 3; see `Judgements.grades`.
GRADES = (0.4, 0.6, 0.8)
LEAST_WEIGHT = 0.2  # of a word that nearly every photo has


@dataclass(frozen=True)
class Judgements:
    """What is known of photos, in their order."""

    written: Sequence[Written]

    def shown(self, thing: str) -> NDArray[np.int64]:
        """How many captions of each photo name `thing` (its form by `form_of`); a label counts as
        two."""
        return self._shown.get(thing, np.zeros(len(self.written), np.int64))

    def judged(self, thing: str) -> Judged:
        told, needed = self.shown(thing), np.minimum(2, np.maximum(self._captions, 1))
        sure, said = np.flatnonzero(told >= needed), np.flatnonzero(told)
        return Judged(frozenset(sure.tolist()), frozenset(said.tolist()) - frozenset(sure.tolist()))

    def words(self) -> dict[str, Judged]:
        """The words to ask for, as people write them, each with its photos."""
        least, most = RAREST * len(self.written), COMMONEST * len(self.written)
        words = {}
        for thing in self.things_to_ask():
            judged = self.judged(thing)
            if least <= len(judged.relevant) <= most:
                words[self.name(thing)] = judged
        return words

    def things_to_ask(self) -> list[str]:
        """What can be judged: what labels name, or without labels what people agree on."""
        labels = {
            name for each in self.written for label in each.labels for name in labelled(label)
        }
        if labels:
            return sorted(labels)
        return [thing for thing in sorted(self._shown) if self.agreement(thing) >= AGREED]

    def things_shown(self) -> dict[str, int]:
        """Everything that captions and labels name, and on how many photos."""
        return {thing: int((told > 0).sum()) for thing, told in self._shown.items()}

    def name(self, thing: str) -> str:
        """`thing` as people write it."""
        return self._names.get(thing, thing)

    def agreement(self, thing: str) -> float:
        """How probably another caption names `thing` if one does; 1 where photos have only one."""
        told = np.minimum(self.shown(thing), self._captions)
        others = float((told * (self._captions - 1)).sum())
        return float((told * (told - 1)).sum()) / others if others else 1.0

    def things(self, text: str) -> list[str]:
        """What a text asks for: names of the vocabulary, longest first, and other words."""
        stems = [word.stem for word in content_words(text)]
        found, at = [], 0
        while at < len(stems):
            sizes = range(min(LONGEST, len(stems) - at), 0, -1)
            forms = (" ".join(stems[at : at + size]) for size in sizes)
            form = next((each for each in forms if each in vocabulary_forms()), stems[at])
            found.append(vocabulary_forms().get(form, form))
            at += form.count(" ") + 1
        return list(dict.fromkeys(found))

    def share(self, text: str) -> NDArray[np.float64]:
        """How much of `text` each photo shows, 0 to 1, words weighed by how rare they are."""
        shares, total = np.zeros(len(self.written)), 0.0
        for thing in self.things(text):
            has = self.shown(thing) > 0
            weight = max(float(np.log(len(has) / (1 + has.sum()))), LEAST_WEIGHT)
            shares, total = shares + weight * has, total + weight
        return shares / max(total, 1e-9)

    def grades(self, text: str) -> NDArray[np.int64]:
        """0 to 3 for each photo: nothing to nearly everything of `text`."""
        return np.searchsorted(GRADES, self.share(text) + 1e-9, side="right")

    @cached_property
    def _captions(self) -> NDArray[np.int64]:
        return np.array([len(each.captions) for each in self.written], np.int64)

    @cached_property
    def _shown(self) -> dict[str, NDArray[np.int64]]:
        shown: dict[str, NDArray[np.int64]] = {}
        for place, written in enumerate(self.written):
            for thing, times in _named(written).items():
                if thing not in shown:
                    shown[thing] = np.zeros(len(self.written), np.int64)
                shown[thing][place] += times
        return shown

    @cached_property
    def _names(self) -> dict[str, str]:
        """The commonest form of stems that are no names of the vocabulary."""
        forms = Counter(w for each in self.written for text in each.captions for w in split(text))
        names: dict[str, str] = {}
        for word, _ in forms.most_common():
            names.setdefault(stem(word), word)
        return names


def form_of(name: str) -> str:
    """The stems of a name or text, by which it is found."""
    return " ".join(word.stem for word in content_words(name))


def _named(written: Written) -> Counter[str]:
    """What captions and labels name, by vocabulary names and by stems of all other words."""
    named: Counter[str] = Counter()
    for text in written.captions:
        named.update(set(_of_caption(text)))
    for label in written.labels:
        for word in {above for name in labelled(label) for above in (name, *broader_words(name))}:
            named[word] += 2
    return named


def _of_caption(text: str) -> Iterator[str]:
    for word in mentioned(text):
        if vocabulary()[word].group != "colours":
            yield from (word, *broader_words(word))
    for word in split(text):
        if word not in STOP_WORDS and len(word) > 2 and stem(word) not in vocabulary_forms():
            yield stem(word)


@cache
def vocabulary_forms() -> Mapping[str, str]:
    """Vocabulary names by the stems of their forms; a name goes before another's synonym."""
    forms: dict[str, str] = {}
    for is_name in (True, False):
        # Colours of captions are of things, those of the vocabulary of the whole photo.
        for word in (each for each in vocabulary().values() if each.group != "colours"):
            for name in (word.name,) if is_name else word.synonyms:
                for form in (form_of(name), form_of(plural(name))):
                    forms.setdefault(form, word.name)
    forms.pop("", None)
    return forms
