"""recall@k against a naive ranking."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.evaluation.recall import image_to_text, recall_at, text_to_image


def _unit(rng: np.random.Generator, rows: int) -> np.ndarray:
    vectors = rng.normal(size=(rows, 8)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(1, 3))
def test_recall_equals_sorting_everything(seed: int, photos: int, captions: int) -> None:
    rng = np.random.default_rng(seed)
    images, texts = _unit(rng, photos), _unit(rng, photos * captions)
    photo_of_text = rng.permutation(np.repeat(np.arange(photos), captions))

    to_image = [
        list(np.argsort(-(images @ text))).index(photo)
        for text, photo in zip(texts, photo_of_text, strict=True)
    ]
    to_text = [
        min(np.flatnonzero(photo_of_text[np.argsort(-(texts @ image))] == photo))
        for photo, image in enumerate(images)
    ]
    assert text_to_image(texts, images, photo_of_text) == recall_at(np.array(to_image))
    assert image_to_text(texts, images, photo_of_text) == recall_at(np.array(to_text))


def test_photos_without_captions_are_rivals_but_no_questions() -> None:
    images = np.eye(3, dtype=np.float32)
    texts = np.array([[0.9, 0.0, 0.1], [0.0, 0.4, 0.6]], dtype=np.float32)
    photo_of_text = np.array([0, 1])
    assert text_to_image(texts, images, photo_of_text)["recall@1"] == pytest.approx(0.5)
    assert image_to_text(texts, images, photo_of_text)["recall@1"] == pytest.approx(1.0)


def test_no_texts_find_nothing() -> None:
    nothing = np.zeros((0, 3), dtype=np.float32), np.eye(3, dtype=np.float32)
    assert text_to_image(*nothing, np.array([], dtype=np.int64))["recall@10"] == 0.0


def test_nothing_to_rank_is_zero() -> None:
    assert recall_at(np.array([], dtype=np.int64)) == {
        "recall@1": 0.0,
        "recall@5": 0.0,
        "recall@10": 0.0,
    }
