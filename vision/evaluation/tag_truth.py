"""Which photos show what a tag says, by all that people wrote about them.

Captions name things in many ways: by synonyms, by narrower words (a puppy is a dog is an animal),
by what cannot be without them (a surfer is in the sea). And they mislead: a hot dog is no dog. The
tables of `vision.vocabulary` hold both.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from vision.collection import Collection
from vision.vocabulary import broader_words, plural, vocabulary
from vision.vocabulary.words import read_table
from vision.words import words_of

LONGEST = 5  # words in a phrase

# Words of these groups are narrow names, as of breeds and makes, when their broader word is itself
# not a topmost one: captions say "dog", seldom "beagle".
NARROW_GROUPS = {"animals"}

# Of a photo with one label, words of these groups that are not its own are absent: who photographs
# an accordion shows no lobster, but maybe a person, a street, the sky.
EXCLUSIVE_GROUPS = {"animals", "food", "things", "transport"}
EXCLUSIVE_BROADER = {"room"}


@dataclass(frozen=True, slots=True)
class Written:
    """All that is written about one photo: captions of whole sentences, and labels."""

    captions: tuple[str, ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Truth:
    """What photos show: `shown` (photos, words) is what is named, broader words included;
    `right` also allows narrow names whose broader word is named and no other narrow one."""

    words: tuple[str, ...]
    shown: NDArray[np.bool_]
    right: NDArray[np.bool_]

    def among(self, words: Sequence[str]) -> "Truth":
        """The same of some of the words, in their order."""
        columns = [self.words.index(word) for word in words]
        return Truth(tuple(words), self.shown[:, columns], self.right[:, columns])

    def of(self, word: str) -> NDArray[np.bool_]:
        """Which photos show a word, (photos,)."""
        return self.shown[:, self.words.index(word)]


def truth(written: Sequence[Written], *, others: Iterable[str] = ()) -> Truth:
    """What photos show, for all words of the vocabulary and `others` that are not in it."""
    own = {other: phrase_forms([other]) for other in others if other not in vocabulary()}
    words = (*vocabulary(), *own)
    place = {word: number for number, word in enumerate(words)}
    shown = np.zeros((len(written), len(words)), dtype=bool)
    for row, each in zip(shown, written, strict=True):
        row[[place[word] for word in named_in(each, own)]] = True
    return Truth(words, shown, _right(words, shown))


def written_about(collection: Collection, split: str, photos: Iterable[str]) -> list[Written]:
    """Captions and labels of each photo, where the collection has them."""
    captions = collection.captions_if_any(split)
    labels = collection.labels(split) or {}
    return [Written(tuple(captions.get(p, ())), tuple(labels.get(p, ()))) for p in photos]


def named_in(written: Written, others: Mapping[str, frozenset[str]] | None = None) -> set[str]:
    """The words that captions or labels name, with their broader ones."""
    named = {word for text in written.captions for word in mentioned(text)}
    named |= {word for label in written.labels for word in labelled(label)}
    named |= {above for word in named for above in broader_words(word)}
    texts = (*written.captions, *written.labels)
    said = [f" {' '.join(words_of(text))} " for text in texts]
    for other, forms in (others or {}).items():
        if any(f" {form} " in text for text in said for form in forms):
            named.add(other)
    return named


def judged_by_labels(facts: Truth) -> NDArray[np.bool_]:
    """Of which words (W,) photos with one label each say something, both ways."""
    known = vocabulary()
    exclusive = [
        word in known
        and (known[word].group in EXCLUSIVE_GROUPS or known[word].broader in EXCLUSIVE_BROADER)
        for word in facts.words
    ]
    return facts.shown.any(axis=0) & np.array(exclusive)


def complete_words(facts: Truth, written: Sequence[Written]) -> NDArray[np.bool_]:
    """Words (W,) that labels name themselves: who labels, unlike who captions, leaves none out."""
    named = {word for each in written for label in each.labels for word in labelled(label)}
    return np.array([word in named for word in facts.words])


def mentioned(text: str) -> set[str]:
    """The words that a caption names, without the broader ones."""
    tokens = words_of(text)
    found: set[str] = set()
    at = 0
    while at < len(tokens):
        length, shows = _override(tokens, at)
        if length:
            found |= shows
        else:
            length = 1
            for size in range(1, LONGEST + 1):
                found |= _phrases().get(" ".join(tokens[at : at + size]), frozenset())
        at += length
    return found


def labelled(label: str) -> frozenset[str]:
    """The words that a label such as "car_side" names as a whole."""
    name = " ".join(label.lower().replace("_", " ").split())
    return _labels().get(name) or _names().get(name, frozenset())


def phrase_forms(names: Iterable[str]) -> frozenset[str]:
    """Names and their plurals, cut as captions are."""
    return frozenset(" ".join(words_of(form)) for name in names for form in (name, plural(name)))


def _right(words: tuple[str, ...], shown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    right = shown.copy()
    place = {word: number for number, word in enumerate(words)}
    for broader, narrow in _narrow_names().items():
        columns = [place[word] for word in narrow]
        unnamed = shown[:, place[broader]] & ~shown[:, columns].any(axis=1)
        right[:, columns] |= unnamed[:, None]
    return right


@cache
def _narrow_names() -> dict[str, list[str]]:
    """By broader word its narrow names."""
    narrow: dict[str, list[str]] = {}
    for word in vocabulary().values():
        if word.group in NARROW_GROUPS and len(broader_words(word.name)) > 1:
            narrow.setdefault(word.broader, []).append(word.name)
    return narrow


def _override(tokens: Sequence[str], at: int) -> tuple[int, set[str]]:
    """How many tokens a phrase that overrides others takes, and what it shows."""
    for size in range(min(LONGEST, len(tokens) - at), 0, -1):
        shows = _overrides().get(" ".join(tokens[at : at + size]))
        if shows is not None:
            return size, {shows} - {""}
    return 0, set()


@cache
def _overrides() -> dict[str, str]:
    return {row["phrase"]: row["shows"] for row in read_table("mentions")}


@cache
def _phrases() -> dict[str, frozenset[str]]:
    """What each phrase of captions names: names, synonyms and hints."""
    return _index({w.name: (w.name, *w.synonyms, *w.hints) for w in vocabulary().values()})


@cache
def _names() -> dict[str, frozenset[str]]:
    return _index({w.name: (w.name, *w.synonyms) for w in vocabulary().values()})


@cache
def _labels() -> dict[str, frozenset[str]]:
    return {row["label"]: frozenset([row["shows"]]) for row in read_table("labels")}


def _index(names: Mapping[str, Sequence[str]]) -> dict[str, frozenset[str]]:
    index: dict[str, set[str]] = {}
    for word, own in names.items():
        for form in phrase_forms(own):
            index.setdefault(form, set()).add(word)
    return {form: frozenset(words) for form, words in index.items()}
