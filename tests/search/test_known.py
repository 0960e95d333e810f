"""Words whose look was learned, and what the cut-off makes of them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from search import cutoff, signals
from search.fitting import fit_lines, logistic
from search.known import Asked, KnownWords, nothing_known
from search.query import Query
from search.rank import PRIOR, rank
from search.texts import Texts
from search.words import content_words
from tests.search.index_machine import unit_vectors

DIM = 32
GENERIC = unit_vectors(20, seed=3, dim=DIM)


def known(*, dog: int = 0, light: int = 1, tail: float = -1.0, shown: float = 4.0) -> KnownWords:
    """Dogs lie along one axis, traffic lights along another; see `KnownWords.usual`."""
    lines = 12 * np.eye(DIM, dtype=np.float32)[[dog, light]]
    forms = {"dog": 0, "traffic light": 1}
    usual = np.array([[tail, shown], [tail, shown]], np.float32)
    return KnownWords(forms, lines, np.array([-6, -6], np.float32), usual)


def library(count: int, *, dogs: int, seed: int = 1) -> np.ndarray:
    """Photos of which the first are dogs."""
    photos = 0.2 * unit_vectors(count, seed=seed, dim=DIM)
    photos[:, 0] = 0.0
    photos[:dogs, 0] = 0.95
    return (photos / np.linalg.norm(photos, axis=1, keepdims=True)).astype(np.float32)


def probabilities(photos: np.ndarray, text: str, *, size: int = 1_000) -> np.ndarray:
    background = cutoff.Background(photos[:1_000], GENERIC, known(), size)
    query = unit_vectors(1, seed=9, dim=DIM)[0]
    evidence = background.evidence(query, photos, content_words(text))
    return 1 / (1 + np.exp(-(evidence + PRIOR)))


def test_names_of_several_words_are_one_thing() -> None:
    asked = known().asked(content_words("dogs under a traffic light at dawn"))
    assert asked.lines.shape == (2, DIM)
    assert (asked.count, asked.others) == (4, {"under", "dawn"})


def test_a_known_word_is_believed_where_the_library_has_it() -> None:
    photos = library(200, dogs=5)
    shown = probabilities(photos, "dog") >= cutoff.CONFIDENT
    assert shown.tolist() == [True] * 5 + [False] * 195
    assert (probabilities(photos[5:], "dog") < cutoff.CONFIDENT).all()


def test_the_nearest_come_first_even_where_the_word_is_absent() -> None:
    photos = library(40, dogs=0)
    photos[7, 0] = 0.3
    found = probabilities(photos, "dog", size=1_000_000)
    assert (found < cutoff.CONFIDENT).all()
    assert found.argmax() == 7
    assert len(set(found.tolist())) > 30  # no ties by which the order would be lost


def test_a_word_is_answered_by_what_its_own_line_says_of_photos_without_it() -> None:
    """The same log-odds say much where nothing else reaches them, and little where much does."""
    photos = library(200, dogs=0)
    photos[:12, 0] = 0.6  # log-odds of 1.2
    query = unit_vectors(1, seed=9, dim=DIM)[0]

    def best(tail: float) -> float:
        background = cutoff.Background(photos, GENERIC, known(tail=tail, shown=1.0), 1_000)
        return float(background.evidence(query, photos, content_words("dog"))[0]) + PRIOR

    assert best(-3.0) > 0.0 > best(1.5)


def test_the_best_of_more_photos_has_to_be_better() -> None:
    photos = library(200, dogs=0)
    photos[:3, 0] = 0.62
    few, many = (probabilities(photos, "dog", size=size)[0] for size in (100, 100_000))
    assert few > many


@given(st.integers(1, 6), st.integers(0, 10_000))
def test_no_word_that_is_asked_changes_what_the_library_is(words: int, seed: int) -> None:
    """Ranking is deterministic, whatever the order in which photos are given."""
    photos = library(40, dogs=4, seed=seed)
    text = " ".join(["dog", "traffic light", "dawn", "under", "snow", "frog"][:words])
    backwards = np.arange(40)[::-1]
    ranked = [order(photos[rows], rows, text) for rows in (np.arange(40), backwards)]
    assert ranked[0] == ranked[1]
    assert ranked[0] == order(photos, np.arange(40), text)


def order(photos: np.ndarray, ids: np.ndarray, text: str) -> list[int]:
    sample = photos[np.argsort(ids)]
    speaking = signals.opinions(
        unit_vectors(1, seed=9, dim=DIM)[0],
        content_words(text),
        background=cutoff.Background(sample, GENERIC, known(), len(ids)),
        photos=(ids, photos),
        texts=[Texts(int(photo_id)) for photo_id in ids],
    )
    return [hit.photo_id for hit in rank(Query(text), speaking, 10)]


def test_a_text_gives_back_what_its_unknown_word_costs() -> None:
    """Of dogs, those whose file name says where come first, and a name alone is enough."""
    photos = library(30, dogs=10)
    ids = np.arange(30)
    background = cutoff.Background(photos, GENERIC, known(), 30)
    query = unit_vectors(1, seed=9, dim=DIM)[0]
    texts = [Texts(number, name=("rome",) if number in (3, 20) else ()) for number in range(30)]

    def found(text: str) -> list[int]:
        speaking = signals.opinions(
            query, content_words(text), background=background, photos=(ids, photos), texts=texts
        )
        return [hit.photo_id for hit in rank(Query(text), speaking, 2)]

    assert found("dog rome")[0] == 3
    assert set(found("rome")) == {3, 20}


def test_a_version_that_knows_no_words_searches_by_likeness() -> None:
    asked = nothing_known(DIM).asked(content_words("a dog"))
    query = unit_vectors(1, seed=9, dim=DIM)[0]
    assert isinstance(asked, Asked)
    assert cutoff.kind_of(asked) == "unknown"
    assert (cutoff.nearest_to(query, asked) == query).all()


def test_lines_are_learned_with_their_probabilities() -> None:
    chance = np.random.default_rng(0)
    photos = unit_vectors(3_000, seed=4, dim=DIM)
    truth = 1 / (1 + np.exp(-(10 * photos[:, :2] - 1)))
    shown = chance.random(truth.shape) < truth
    lines, biases = fit_lines(photos, shown, np.ones(3_000), ridge=1.0)
    said = 1 / (1 + np.exp(-(photos @ lines.T + biases)))
    assert np.abs(said - truth).mean() < 0.05


def test_a_logistic_model_finds_its_weights() -> None:
    chance = np.random.default_rng(0)
    features = np.concatenate([np.ones((4_000, 1)), chance.normal(size=(4_000, 2))], axis=1)
    wanted = np.array([-1.0, 2.0, 0.5])
    right = chance.random(4_000) < 1 / (1 + np.exp(-features @ wanted))
    assert np.abs(logistic(features, right.astype(float)) - wanted).max() < 0.2
