"""`manage.py evaluate cutoff|keywords`: search over captioned photos, without a database."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from search.cutoff import GENERIC_QUERIES
from search.evaluation import (
    Judged,
    Library,
    cutoff_figures,
    judged_labels,
    judged_words,
    keyword_figures,
)
from search.index.protocol import Vectors
from search.signals import Texts
from search.words import split
from vision.collection import Collection
from vision.errors import DataMissing
from vision.sight import Sight
from vision.text_encoder import TextEncoder

Figures = dict[str, Any]


def measure_cutoff(
    folder: Path, split_name: str, *, seen: Sequence[tuple[str, Sight]], encoder: TextEncoder
) -> Figures:
    """`search.evaluation.cutoff_figures` for the words of the people who captioned the photos;
    `seen` is what the Eye made of them. Raises DataMissing without captions."""
    return cutoff_figures(*_asked(folder, split_name, seen, encoder))


def measure_keywords(
    folder: Path, split_name: str, *, seen: Sequence[tuple[str, Sight]], encoder: TextEncoder
) -> Figures:
    """`search.evaluation.keyword_figures` for the names that photos are labelled by, or else for
    the same words as of `measure_cutoff`."""
    labels = Collection(folder).labels(split_name)
    if not labels:
        return keyword_figures(*_asked(folder, split_name, seen, encoder))
    labelled = [(name, sight) for name, sight in seen if name in labels]
    judged = judged_labels([labels[name] for name, _ in labelled])
    return keyword_figures(*_library(labelled, judged, encoder))


def _asked(
    folder: Path, split_name: str, seen: Sequence[tuple[str, Sight]], encoder: TextEncoder
) -> tuple[Library, dict[str, Judged], dict[str, Vectors], Vectors]:
    """A library of the photos, the words to ask it for, and their embeddings."""
    captions = Collection(folder).captions(split_name)
    described = [(name, sight) for name, sight in seen if captions.get(name)]
    words = judged_words([captions[name] for name, _ in described])
    if not words:
        raise DataMissing(f"The captions of {split_name!r} in {folder} have too few words.")
    return _library(described, words, encoder)


def _library(
    photos: Sequence[tuple[str, Sight]], words: dict[str, Judged], encoder: TextEncoder
) -> tuple[Library, dict[str, Judged], dict[str, Vectors], Vectors]:
    library = Library(
        np.stack([sight.embedding for _, sight in photos]),
        [_texts(place, sight) for place, (_, sight) in enumerate(photos)],
    )
    embedded = dict(zip(words, encoder.encode(list(words)), strict=True))
    return library, words, embedded, encoder.encode(GENERIC_QUERIES)


def _texts(photo_id: int, sight: Sight) -> Texts:
    tags = tuple(tuple(split(name)) for name, _ in sight.tags)
    is_shown = sight.caption_confidence >= settings.MAREA_CAPTION_CONFIDENCE
    return Texts(photo_id, tags, tuple(split(sight.caption)) if is_shown else ())
