"""How well single words find photos by their embeddings alone.

The words are the names by which a folder's photos are labelled, as they stand: no table from names
to anything else helps. The product adds tags and captions to
this; `manage.py evaluate keywords` measures both.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.collection import Collection
from vision.errors import DataMissing
from vision.evaluation.retrieval import Seen, look_at_split
from vision.eye import Eye
from vision.text_encoder import TextEncoder


def keywords(
    folder: Path, split: str, *, eye: Eye, text_encoder: TextEncoder, seen: Seen | None = None
) -> dict[str, Any]:
    """Average precision of the whole order for each label (`by_word`) and its mean (`map`).

    `seen` is what `look_at_split` gave, if the photos were looked at already. Raises DataMissing
    when the folder has no labels.
    """
    collection = Collection(folder)
    labels = collection.labels(split)
    if not labels:
        raise DataMissing(f"{folder} has no labels of the split {split!r} to ask for.")
    seen = seen or look_at_split(collection, split, eye)
    rows = [(sight.embedding, labels[name]) for name, sight in seen if name in labels]
    if not rows:
        raise DataMissing(f"No photo of the split {split!r} in {folder} has a label.")
    images_ND = np.stack([embedding for embedding, _ in rows])
    relevant = relevance([names for _, names in rows])
    texts_WD = text_encoder.encode(list(relevant))
    by_word = precision_by_word(texts_WD @ images_ND.T, relevant)
    return {
        "map": float(np.mean(list(by_word.values()))),
        "photos": len(rows),
        "by_word": by_word,
    }


def relevance(labels: Sequence[Sequence[str]]) -> dict[str, NDArray[np.bool_]]:
    """For each label in alphabetical order: which photos have it, (photos,)."""
    words = sorted({word for names in labels for word in names})
    return {word: np.array([word in names for names in labels]) for word in words}


def precision_by_word(
    scores_WN: NDArray[np.float32], relevant: Mapping[str, NDArray[np.bool_]]
) -> dict[str, float]:
    """Average precision of each word's order of photos by falling score."""
    return {
        word: average_precision(right_N[np.argsort(-scores_N, kind="stable")])
        for (word, right_N), scores_N in zip(relevant.items(), scores_WN, strict=True)
    }


def average_precision(right_N: NDArray[np.bool_]) -> float:
    """Mean, over the right ones in an order, of the precision where each stands; 0 for none."""
    places = np.flatnonzero(right_N) + 1
    return float((np.arange(1, len(places) + 1) / places).mean()) if len(places) else 0.0
