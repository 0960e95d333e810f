"""How well two versions do on the same photos, photo by photo, so that pairs can be compared.

Each figure of a photo is between 0 and 1, and higher is better.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.words import words_of
from webapp.teach.judging.bootstrap import FEWEST, interval
from webapp.teach.judging.sample import Said, Sample
from webapp.teach.judging.seen import SeenBy

# How much of the active version's own figure counts as well where only it says what is right: a
# better version differs from it as well.
OF_ITS_OWN = 0.8

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """One comparison. `low` and `high` bound the difference with a confidence of 95 %."""

    name: str
    title: str
    says: str  # whose word counts as right: "people" or "the active version"
    n: int
    old: float
    new: float
    difference: float
    low: float
    high: float
    is_worse: bool

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def measures(old: SeenBy, new: SeenBy, sample: Sample) -> list[Measure]:
    """Everything that can be compared on photos that both have seen, as far as there is enough."""
    found: list[Measure] = []
    for name, title, says, compare in _ALL:
        first, second = compare(old, new, sample)
        if len(first):
            found.append(_measure(name, title, says, first, second))
    return found


def _measure(name: str, title: str, says: str, old: Values, new: Values) -> Measure:
    difference = interval(new - old)
    wanted = difference if says == "people" else interval(new - OF_ITS_OWN * old)
    return Measure(
        name=name,
        title=title,
        says=says,
        n=len(old),
        old=float(old.mean()),
        new=float(new.mean()),
        difference=difference.mean,
        low=difference.low,
        high=difference.high,
        is_worse=len(old) >= FEWEST and wanted.high < 0,
    )


def _tags_said(old: SeenBy, new: SeenBy, sample: Sample) -> tuple[Values, Values]:
    """Share of what people said about tags of a photo that a version says as well. Words that
    neither ever says are nobody's fault."""
    sayable = frozenset().union(*old.meant, *new.meant)
    said = [word for word in sample.said if not word.is_there or word.tag in sayable]
    return right(old, said), right(new, said)


def right(seen: SeenBy, said: Sequence[Said]) -> Values:
    """For each photo that somebody spoke about the share of it that the version says as well."""
    place = {photo_id: row for row, photo_id in enumerate(seen.photo_ids)}
    right: dict[int, list[bool]] = defaultdict(list)
    for word in said:
        row = place[word.photo_id]
        is_said = word.tag in (seen.meant[row] if word.is_there else seen.named[row])
        right[word.photo_id].append(is_said == word.is_there)
    return np.array([np.mean(each) for each in right.values()], np.float64)


def _found_by_captions(old: SeenBy, new: SeenBy, sample: Sample) -> tuple[Values, Values]:
    """Reciprocal rank of a photo among all when its person's caption is searched for."""
    return tuple(ranks(each, sample.captions) for each in (old, new))  # type: ignore[return-value]


def _captions_worded(old: SeenBy, new: SeenBy, sample: Sample) -> tuple[Values, Values]:
    """Overlap of the words of a version's caption with those of a person's."""

    def overlaps(seen: SeenBy) -> Values:
        said = dict(zip(seen.photo_ids, seen.words, strict=True))
        theirs = {pk: frozenset(words_of(text)) for pk, text in sample.captions.items()}
        return np.array([overlap(said[pk], words) for pk, words in theirs.items()], np.float64)

    return overlaps(old), overlaps(new)


def _found_by_its_words(old: SeenBy, new: SeenBy, sample: Sample) -> tuple[Values, Values]:
    """As above, by what the active version says about the photo."""
    said = {pk: text for pk, text in zip(old.photo_ids, old.captions, strict=True) if text}
    return ranks(old, said), ranks(new, said)


def ranks(seen: SeenBy, texts: dict[int, str]) -> Values:
    """1 over the rank of each text's own photo among all photos of `seen`, nearest first."""
    place = {photo_id: row for row, photo_id in enumerate(seen.photo_ids)}
    own = np.array([place[photo_id] for photo_id in texts], np.int64)
    scores = seen.queries(list(texts.values())) @ seen.embeddings.T
    if not len(own):
        return np.zeros(0)
    theirs = scores[np.arange(len(own)), own][:, None]
    # Of equals half come before: who gives every photo the same embedding gains nothing.
    before = (scores > theirs).sum(axis=1) + ((scores == theirs).sum(axis=1) - 1) / 2
    return 1.0 / (1.0 + before)


def overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Intersection over union; 1 where both are empty."""
    return len(one & other) / len(one | other) if one | other else 1.0


Compare = Callable[[SeenBy, SeenBy, Sample], tuple[Values, Values]]

_ALL: tuple[tuple[str, str, str, Compare], ...] = (
    ("tags", "Tags as people corrected them", "people", _tags_said),
    ("found", "Photos found by the captions that people wrote", "people", _found_by_captions),
    ("captions", "Captions worded like those that people wrote", "people", _captions_worded),
    (
        "agreement",
        "Photos found by what the active version says about them",
        "the active version",
        _found_by_its_words,
    ),
)
