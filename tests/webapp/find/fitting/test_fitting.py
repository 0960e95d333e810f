"""What search believes, fitted to photos that were drawn."""

import numpy as np
import pytest

from search.fitting import logistic
from search.known import USUAL
from search.words import content_words
from tests.search.index_machine import unit_vectors
from vision.evaluation.tag_truth import Written
from vision.versions import open_version
from webapp.find.fitting.words import Learned, Training, learn_words
from webapp.find.query.embedding import read_known_words
from webapp.find.relevance.judging import Judgements

PHOTOS, DOGS, DIM = 400, 120, 16


def drawn(*captions: str, seed: int) -> Training:
    """Photos of dogs along one axis, and of nothing in particular."""
    photos = 0.5 * unit_vectors(PHOTOS, seed=seed, dim=DIM)
    photos[:DOGS, 0] += 1.0
    photos /= np.linalg.norm(photos, axis=1, keepdims=True)
    of_dogs = Written(tuple(f"a dog {caption}" for caption in captions))
    others = Written(tuple(f"a cloud {caption}" for caption in captions))
    written = [of_dogs if place < DOGS else others for place in range(PHOTOS)]
    return Training(Judgements(written), photos.astype(np.float32))


@pytest.fixture(scope="module")
def learned() -> Learned:
    return learn_words([drawn("is there", "can be seen", seed=1), drawn("is there", seed=2)])


def test_a_line_is_known_by_what_it_says_of_photos_it_was_not_fitted_to(learned: Learned) -> None:
    asked = learned.known.asked(content_words("dog"))
    tail, shown = asked.usual[0]
    assert tail + 1.0 < shown
    for known, others in zip(learned.of_half, learned.others, strict=True):
        dogs = np.flatnonzero(others[0])[np.flatnonzero(others[0]) < DOGS]
        photos = drawn("is there", "can be seen", seed=1).photos[dogs]
        assert known.asked(content_words("dog")).log_odds(photos).mean() > tail
    halves = [np.concatenate(others) for others in learned.others]
    assert (halves[0] != halves[1]).all()  # each photo was left out once


def test_silence_of_a_single_caption_is_not_believed() -> None:
    """Half of the second collection's dogs are called clouds: the tail is not theirs."""
    sure, careless = drawn("is there", "can be seen", seed=1), drawn("is there", seed=2)
    for place in range(0, DOGS, 2):
        careless.judgements.written[place] = Written(("a cloud is there",))  # type: ignore[index]
    tail, shown = learn_words([sure, careless]).known.asked(content_words("dog")).usual[0]
    assert tail + 1.0 < shown


def test_rows_count_as_often_as_they_are_said_to() -> None:
    features = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    right = np.array([0.0, 1.0, 0.0])
    rows = [0, 0, 1, 1, 1, 2]
    repeated = logistic(features[rows], right[rows])
    assert logistic(features, right, np.array([2.0, 3.0, 1.0])) == pytest.approx(repeated)


def test_a_version_of_before_has_what_is_usual_of_all_words() -> None:
    before = read_known_words(open_version("lite2-2026.11b"))
    assert (before.usual == np.array(USUAL, np.float32)).all()
    now = read_known_words(open_version("lite2-2026.11c"))
    assert now.usual.std(axis=0).min() > 0.3
    assert set(now.forms) == set(before.forms)
