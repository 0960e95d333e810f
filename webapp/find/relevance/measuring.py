"""`manage.py evaluate cutoff|keywords`: search over captioned photos, without a database."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from search.cutoff import GENERIC_QUERIES
from search.evaluation import (
    Judged,
    Library,
    alike_figures,
    cutoff_figures,
    judged_labels,
    judged_words,
    keyword_figures,
)
from search.index.protocol import Vectors
from search.known import KnownWords
from search.texts import Texts
from search.words import content_words, split
from vision.collection import Collection
from vision.errors import DataMissing
from vision.evaluation.tag_truth import written_about
from vision.sight import Sight
from vision.text_encoder import TextEncoder
from vision.vocabulary import search_forms
from webapp.find.relevance.judging import Judgements

Figures = dict[str, Any]
Seen = Sequence[tuple[str, Sight]]

SENTENCES = 200  # asked of each kind


def measure_cutoff(
    folder: Path, split_name: str, *, seen: Seen, encoder: TextEncoder, known: KnownWords
) -> Figures:
    """`search.evaluation.cutoff_figures` for words that can be judged (`Judgements.words`), and
    under "phrases" and "sentences" for two or three words of captions, and whole ones. `seen` is
    what the Eye made of the photos. Raises DataMissing without captions."""
    judgements = Judgements(written_about(Collection(folder), split_name, [n for n, _ in seen]))
    if not (words := judgements.words()):
        raise DataMissing(f"No word to ask for: {_too_little(folder, split_name)}")
    library = make_library(seen, encoder, known)
    return {
        "photos": len(seen),
        **_cutoff(library, words, encoder),
        "phrases": _cutoff(library, _graded(judgements, phrases(judgements)), encoder),
        "sentences": _cutoff(library, _graded(judgements, sentences(judgements)), encoder),
    }


def measure_keywords(
    folder: Path, split_name: str, *, seen: Seen, encoder: TextEncoder, known: KnownWords
) -> Figures:
    """`search.evaluation.keyword_figures` for the names that photos are labelled by, or else for
    words that two of a photo's captions have. Raises DataMissing without captions."""
    labels = Collection(folder).labels(split_name)
    if labels:
        photos = [(name, sight) for name, sight in seen if name in labels]
        words = judged_labels([labels[name] for name, _ in photos])
    else:
        captions = Collection(folder).captions_if_any(split_name)
        photos = [(name, sight) for name, sight in seen if captions.get(name)]
        words = judged_words([captions[name] for name, _ in photos])
    if not words:
        raise DataMissing(f"No word to ask for: {_too_little(folder, split_name)}")
    figures = keyword_figures(make_library(photos, encoder, known), words, embedded(words, encoder))
    return {"photos": len(photos), **figures}


def _too_little(folder: Path, split_name: str) -> str:
    return (
        f"captions.en.csv.gz and labels of the split {split_name!r} in {folder} name none that "
        "some of its photos show and others do not."
    )


def measure_alike(folder: Path, split_name: str, *, seen: Seen) -> Figures:
    """`search.evaluation.alike_figures` for photos with one label each. Raises DataMissing where
    there are none."""
    labels = Collection(folder).labels(split_name) or {}
    own = [(sight.embedding, labels.get(name, ())) for name, sight in seen]
    photos = [(embedding, names[0]) for embedding, names in own if len(names) == 1]
    if max(Counter(label for _, label in photos).values(), default=0) < 2:
        raise DataMissing(
            f"No two photos of the split {split_name!r} in {folder} have one label each that is "
            "the same, so none could find the other."
        )
    return alike_figures(np.stack([each for each, _ in photos]), [label for _, label in photos])


def make_library(photos: Seen, encoder: TextEncoder, known: KnownWords) -> Library:
    """What search would know of the photos; their ids are their places."""
    return Library(
        np.stack([sight.embedding for _, sight in photos]),
        [_texts(place, sight) for place, (_, sight) in enumerate(photos)],
        encoder.encode(GENERIC_QUERIES),
        known,
    )


def embedded(texts: Mapping[str, Any], encoder: TextEncoder) -> dict[str, Vectors]:
    return dict(zip(texts, encoder.encode(list(texts)), strict=True))


def sentences(judgements: Judgements) -> list[str]:
    """First captions of evenly chosen photos."""
    captions = [each.captions[0] for each in judgements.written if each.captions]
    return captions[:: max(1, len(captions) // SENTENCES)][:SENTENCES]


def phrases(judgements: Judgements) -> list[str]:
    """Two or three words of captions, as people search; the same every time."""
    chance = np.random.default_rng(0)
    found = []
    for caption in sentences(judgements):
        words = [word.text for word in content_words(caption)]
        if len(words) >= 4:
            kept = sorted(chance.choice(len(words), chance.integers(2, 4), replace=False).tolist())
            found.append(" ".join(words[place] for place in kept))
    return found


def _graded(judgements: Judgements, texts: Sequence[str]) -> dict[str, Judged]:
    """Photos that show most of a text are right, those that show less of it are not clear."""
    grades = {text: judgements.grades(text) for text in texts}
    return {
        text: Judged(
            frozenset(np.flatnonzero(each >= 2).tolist()),
            frozenset(np.flatnonzero(each == 1).tolist()),
        )
        for text, each in grades.items()
    }


def _cutoff(library: Library, queries: Mapping[str, Judged], encoder: TextEncoder) -> Figures:
    return cutoff_figures(library, queries, embedded(queries, encoder))


def _texts(photo_id: int, sight: Sight) -> Texts:
    """As `webapp.find.index.documents` indexes a photo that nobody wrote anything about."""
    names = [name for name, _ in sight.tags]
    forms = dict.fromkeys([*names, *(form for name in names for form in search_forms(name))])
    is_shown = sight.caption_confidence >= settings.MAREA_CAPTION_CONFIDENCE
    caption = tuple(split(sight.caption)) if is_shown else ()
    return Texts(photo_id, tuple(tuple(split(form)) for form in forms), caption)
