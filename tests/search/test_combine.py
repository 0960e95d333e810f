"""Directions out of examples and words."""

import numpy as np

from search.combine import combine

DIM = 32


def unit(*axes: int) -> np.ndarray:
    vector = np.zeros(DIM, np.float32)
    vector[list(axes)] = 1.0
    return vector / np.linalg.norm(vector)


def a_library(seed: int = 0) -> np.ndarray:
    photos = np.random.default_rng(seed).normal(size=(500, DIM)).astype(np.float32)
    return photos / np.linalg.norm(photos, axis=1, keepdims=True)


def test_examples_alone_are_their_mean_direction() -> None:
    found = combine(np.stack([unit(0), unit(1)]), a_library())
    assert np.allclose(found.whole, unit(0, 1), atol=1e-6)
    assert found.words is None


def test_words_are_heard_although_texts_spread_less_than_photos() -> None:
    """Photos along axis 1, of which texts speak, differ a tenth as much as those along axis 0."""
    library = a_library()
    library[:, 1] *= 0.1
    found = combine(unit(0)[None], library, plus=unit(1))
    along = np.stack([unit(0), unit(1)]) @ found.whole
    assert along[1] > 5 * along[0]  # of the same length in spreads, so ten times as long as such


def test_the_words_part_reaches_as_far_as_the_likeness() -> None:
    library = a_library()
    found = combine(unit(0)[None], library, plus=unit(1))
    assert found.words is not None
    spreads = [np.quantile(library @ part, 0.84) - np.median(library @ part)
               for part in (found.likeness, found.words)]  # fmt: skip
    assert np.allclose(spreads, 1.0, atol=0.15)


def test_words_taken_away_point_the_other_way() -> None:
    found = combine(unit(0)[None], a_library(), minus=[unit(1), unit(2)])
    assert found.whole[0] > 0 > max(found.whole[1], found.whole[2])
    assert np.isclose(np.linalg.norm(found.whole), 1.0, atol=1e-5)


def test_an_empty_library_and_opposite_examples_still_give_a_direction() -> None:
    nobody = np.zeros((0, DIM), np.float32)
    for photos in (unit(0)[None], np.stack([unit(0), -unit(0)])):
        found = combine(photos, nobody, plus=unit(1), minus=[unit(2)])
        assert np.isfinite(found.whole).all()
