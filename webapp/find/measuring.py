"""`manage.py evaluate cutoff`: search over a folder of captioned photos, without a database."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from django.conf import settings

from search.cutoff import GENERIC_QUERIES
from search.evaluation import Library, cutoff_figures, judged_words
from search.signals import Texts
from search.words import split
from vision.collection import Collection
from vision.errors import DataMissing
from vision.sight import Sight
from vision.text_encoder import TextEncoder


def measure_cutoff(
    folder: Path, split_name: str, *, seen: Sequence[tuple[str, Sight]], encoder: TextEncoder
) -> dict[str, float]:
    """The figures of `search.evaluation.cutoff_figures` for the words of the people who captioned
    the photos; `seen` is what the Eye made of them. Raises DataMissing without captions."""
    captions = Collection(folder).captions(split_name)
    described = [(name, sight) for name, sight in seen if captions.get(name)]
    words = judged_words([captions[name] for name, _ in described])
    if not words:
        raise DataMissing(f"The captions of {split_name!r} in {folder} have too few words.")
    library = Library(
        np.stack([sight.embedding for _, sight in described]),
        [_texts(place, sight) for place, (_, sight) in enumerate(described)],
    )
    embedded = dict(zip(words, encoder.encode(list(words)), strict=True))
    return cutoff_figures(library, words, embedded, encoder.encode(GENERIC_QUERIES))


def _texts(photo_id: int, sight: Sight) -> Texts:
    tags = tuple(tuple(split(name)) for name, _ in sight.tags)
    is_shown = sight.caption_confidence >= settings.MAREA_CAPTION_CONFIDENCE
    return Texts(photo_id, tags, tuple(split(sight.caption)) if is_shown else ())
