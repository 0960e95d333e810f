"""How right tags are, by the code that the product runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.collection import Collection
from vision.errors import DataMissing
from vision.evaluation.people import people_figures
from vision.evaluation.retrieval import Seen, look_at_split
from vision.evaluation.tag_pass import Probable, look_at_tags
from vision.evaluation.tag_truth import (
    Truth,
    Written,
    complete_words,
    judged_by_labels,
    truth,
    written_about,
)
from vision.eye import Eye
from vision.vocabulary import broader_words, vocabulary

BINS = 10


def tags(folder: Path, split: str, *, eye: Eye, seen: Seen | None = None) -> dict[str, Any]:
    """Precision and recall of tags, over all and by group, how far their probabilities can be
    believed, and whether people are spared what hurts them.

    Right is what captions and labels say. Captions leave things out, so true precision is higher
    and true recall lower; `complete` has the figures of those words of which labels say all. Of
    photos with nothing but a label, only words that exclude one another are judged. Raises
    DataMissing.
    """
    collection = Collection(folder)
    seen = seen or look_at_split(collection, split, eye)
    names = [name for name, _ in seen]
    written = written_about(collection, split, names)
    said = [[tag for tag, _ in sight.tags] for _, sight in seen]
    facts = truth(written, others={tag for own in said for tag in own})
    judged = judged_words(facts, written)
    if not judged.any():
        raise DataMissing(
            f"Nothing is written about the photos of the split {split!r} in {folder} that names a "
            "word of the vocabulary: tags are judged by captions.en.csv.gz or labels."
        )
    counts = count_tags(said, facts) * judged[:, None]
    probable = look_at_tags(collection, split, eye)
    return {
        "photos": len(names),
        "tags": int(counts[:, 1].sum()),
        **_rates(counts.sum(axis=0)),
        "by_group": _by_group(counts, facts),
        "complete": _rates(counts[complete_words(facts, written)].sum(axis=0)),
        "reliability": _reliability(probable, names, facts, judged) if probable else [],
        "people": people_figures(seen, written, facts, probable),
    }


def judged_words(facts: Truth, written: Sequence[Written]) -> NDArray[np.bool_]:
    """The words (W,) of which these photos say something; colours are not what captions tell."""
    if not any(each.captions for each in written):
        return judged_by_labels(facts)
    return np.array([_group(word) != "colours" for word in facts.words])


def _says(said: Sequence[Sequence[str]], facts: Truth) -> NDArray[np.bool_]:
    """Which words (photos, W) are said."""
    place = {word: number for number, word in enumerate(facts.words)}
    says = np.zeros(facts.shown.shape, dtype=bool)
    for row, own in zip(says, said, strict=True):
        row[[place[word] for word in own]] = True
    return says


def count_tags(said: Sequence[Sequence[str]], facts: Truth) -> NDArray[np.int64]:
    """Of what is said of each photo (W, 4): said and right, said, shown and said or implied, shown.

    Who is told "dog" is told "animal": what a narrower word implies is recalled as well.
    """
    says = _says(said, facts)
    implied = says.copy()
    place = {word: number for number, word in enumerate(facts.words)}
    for word in vocabulary():
        for above in broader_words(word):
            implied[:, place[above]] |= says[:, place[word]]
    rows = (says & facts.right, says, implied & facts.shown, facts.shown)
    return np.stack([row.sum(axis=0) for row in rows], axis=1)


def _by_group(counts: NDArray[np.int64], facts: Truth) -> dict[str, dict[str, Any]]:
    groups = np.array([_group(word) for word in facts.words])
    summed = {group: counts[groups == group].sum(axis=0) for group in dict.fromkeys(groups)}
    return {
        group: {**_rates(own), "tags": int(own[1])}
        for group, own in summed.items()
        if own[1:].any()
    }


def _group(word: str) -> str:
    known = vocabulary().get(word)
    return known.group if known else "others"


def _rates(counts: NDArray[np.int64]) -> dict[str, float | None]:
    """None where there is nothing to have a rate of."""
    right, said, recalled, shown = (int(value) for value in counts)
    return {
        "precision": right / said if said else None,
        "recall": recalled / shown if shown else None,
    }


def _reliability(
    probable: Probable, names: Sequence[str], facts: Truth, judged: NDArray[np.bool_]
) -> list[dict[str, float]]:
    """In tenths of probability: how many words of photos, their mean probability, the share shown.

    All words count that the version can say, whether they are said or not.
    """
    place = {word: number for number, word in enumerate(facts.words)}
    kept = [n for n, word in enumerate(probable.words) if word in place and judged[place[word]]]
    columns = [place[probable.words[number]] for number in kept]
    said = probable.of(names)[:, kept].ravel()
    right = facts.right[:, columns].ravel()
    tenth = np.minimum((said * BINS).astype(int), BINS - 1)
    return [
        {
            "from": number / BINS,
            "to": (number + 1) / BINS,
            "words": int(own.sum()),
            "probability": float(said[own].mean()),
            "shown": float(right[own].mean()),
        }
        for number in range(BINS)
        if (own := tenth == number).any()
    ]
