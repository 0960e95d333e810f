"""Where photos stop being like an example."""

import numpy as np

from search.alike import alike
from search.combine import combine
from tests.search.index_machine import unit_vectors

DIM = 64


def probabilities(photos: np.ndarray, *, size: int = 1_000) -> np.ndarray:
    """That photos are like the first axis, among photos that lie anywhere."""
    sample = unit_vectors(1_000, seed=1, dim=DIM)
    wanted = combine(np.eye(DIM, dtype=np.float32)[:1], sample)
    return alike(photos, sample, wanted, size=size, examples=1)


def near(cosines: list[float]) -> np.ndarray:
    photos = np.zeros((len(cosines), DIM), np.float32)
    photos[:, 0] = cosines
    photos[:, 1] = np.sqrt(1 - photos[:, 0] ** 2)
    return photos


def test_the_nearer_the_more_probable_and_the_far_are_not() -> None:
    found = probabilities(near([0.95, 0.6, 0.3, 0.0]))
    assert found[0] > 0.9
    assert found[-1] < 0.01
    assert (np.diff(found) < 0).all()


def test_in_a_larger_library_more_are_near_by_chance() -> None:
    few, many = (probabilities(near([0.6]), size=size)[0] for size in (100, 10_000))
    assert few > many


def test_without_a_library_there_is_an_answer_all_the_same() -> None:
    nothing = np.zeros((0, DIM), np.float32)
    wanted = combine(np.eye(DIM, dtype=np.float32)[:1], nothing)
    assert alike(near([0.9]), nothing, wanted, size=0, examples=1).shape == (1,)
