"""A gate that needs no photos: the cut-off of the version that ships, on 500 photos with labels.

`labelled.npz` has their embeddings, every second development photo of coco_wide as lite2-2026.11b
and 11c see it, and which COCO categories are annotated on each (CC BY 4.0, COCO Consortium).
docs/relevance.md has the figures of whole collections, `manage.py evaluate cutoff` measures them.
"""

from pathlib import Path

import numpy as np
import pytest

from search.cutoff import GENERIC_QUERIES
from search.evaluation import Judged, Library, cutoff_figures, keyword_figures
from search.texts import Texts
from vision.text_encoder import TextEncoder
from vision.versions import open_version
from webapp.find.query.embedding import read_known_words

LABELLED = Path(__file__).with_name("labelled.npz")
FEWEST = 8  # photos of a label that is asked for


@pytest.fixture(scope="module")
def asked() -> tuple[Library, dict[str, Judged], dict[str, np.ndarray]]:
    version = open_version(None)
    encoder = TextEncoder(version)
    with np.load(LABELLED) as arrays:
        photos, labels, has = arrays["photos"], arrays["labels"], arrays["has"]
    words = {
        str(label): Judged(frozenset(np.flatnonzero(own).tolist()), frozenset())
        for label, own in zip(labels, has.T, strict=True)
        if FEWEST <= own.sum() <= len(photos) / 2
    }
    texts = [Texts(place) for place in range(len(photos))]
    generic = encoder.encode(GENERIC_QUERIES)
    library = Library(photos.astype(np.float32), texts, generic, read_known_words(version))
    return library, words, dict(zip(words, encoder.encode(list(words)), strict=True))


def test_the_cutoff_stays_as_good_as_it_was(
    asked: tuple[Library, dict[str, Judged], dict[str, np.ndarray]],
) -> None:
    """Floors beside what was measured on 2026-11-26."""
    figures = cutoff_figures(*asked)
    assert figures["queries"] == 16
    assert figures["precision"] >= 0.74  # 0.777
    assert figures["recall_kept"] >= 0.88  # 0.927
    assert figures["false_alarms"] <= 1 / 16  # 0


def test_the_order_of_words_stays_as_good_as_it_was(
    asked: tuple[Library, dict[str, Judged], dict[str, np.ndarray]],
) -> None:
    assert keyword_figures(*asked)["map"] >= 0.59  # 0.612
