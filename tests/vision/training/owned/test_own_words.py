"""Lines of words that people made: found from six photos, never said where looks do not tell."""

import numpy as np
from numpy.typing import NDArray

from vision.backbones.base import Features
from vision.heads.word_model import WordModel, sigmoid
from vision.training.owned.own_words import SURE, Looks, OwnLines, learn_own_lines

WIDTH, SUBJECTS = 96, 120


def photos(subject: int, count: int, *, seed: int, noise: float = 0.4) -> Looks:
    """Photos of one subject: directions of its own in both spaces, and noise."""
    centre = np.random.default_rng(subject).normal(size=2 * WIDTH)
    around = np.random.default_rng([seed, subject]).normal(scale=noise, size=(count, 2 * WIDTH))
    vectors = (centre + around).astype(np.float32)
    return Looks(vectors[:, :WIDTH], 5 + 10 * vectors[:, WIDTH:])


def a_library(*, but: tuple[int, ...] = (0, 1)) -> Looks:
    """Ten photos of each subject but those that are taught."""
    return Looks.join([photos(s, 10, seed=2) for s in range(SUBJECTS) if s not in but])


def learned(spoken: list[tuple[Looks, list[int]]], library: Looks) -> OwnLines:
    """Lines from photos and what was said of all words of each group of them."""
    stated = np.concatenate([np.tile(each, (len(looks), 1)) for looks, each in spoken])
    looks = Looks.join([looks for looks, _ in spoken])
    return learn_own_lines(looks, stated.astype(np.int8), library, right=0.9)


def out(lines: OwnLines, looks: Looks, word: int = 0) -> NDArray[np.float32]:
    """How far out photos are."""
    weights = lines.weights[word]
    both = looks.embeddings @ lines.embedding[word], looks.features @ lines.features[word]
    return weights[0] + weights[1] * both[0] + weights[2] * both[1]


def test_a_thing_is_found_by_six_photos_of_it_and_others_are_not() -> None:
    lines = learned([(photos(0, 6, seed=1), [1])], a_library())
    assert lines.said.tolist() == [True]
    assert (out(lines, photos(0, 40, seed=5)) >= 1).mean() >= 0.8
    others = Looks.join([photos(s, 20, seed=6) for s in range(1, SUBJECTS)])
    assert (out(lines, others) >= 1).mean() <= 0.002


def test_a_thing_on_ten_times_as_many_photos_as_were_marked_is_found() -> None:
    library = Looks.join([a_library(), photos(0, 60, seed=3)])  # and nobody marked these
    lines = learned([(photos(0, 6, seed=1), [1])], library)
    assert lines.said.tolist() == [True]
    assert (out(lines, photos(0, 40, seed=5)) >= 1).mean() >= 0.8


def test_a_word_that_photos_do_not_show_is_said_of_none_and_likely_nowhere() -> None:
    unlike = Looks.join([photos(s, 1, seed=1) for s in range(2, 10)])
    lines = learned([(unlike, [1])], a_library())
    assert lines.said.tolist() == [False]
    assert out(lines, a_library()).max() < 0


def test_what_got_another_word_is_told_apart() -> None:
    """Two subjects that are much alike: those of the second are said less once they have a name."""

    def alike(own: float, count: int, *, seed: int) -> Looks:
        both, mine = photos(0, count, seed=seed), photos(1, count, seed=seed)
        return Looks(both.embeddings + own * mine.embeddings, both.features + own * mine.features)

    first, second = alike(0.3, 6, seed=1), alike(-0.3, 6, seed=4)
    alone = learned([(first, [1])], a_library())
    beside = learned([(first, [1, 0]), (second, [0, 1])], a_library())
    wrong = alike(-0.3, 40, seed=5)
    assert (out(beside, wrong) >= 1).mean() < (out(alone, wrong) >= 1).mean() - 0.2
    assert (out(beside, alike(0.3, 40, seed=5)) >= 1).mean() >= 0.6


def test_what_it_was_taken_from_is_not_said_again() -> None:
    given, twin = photos(0, 6, seed=1), photos(0, 6, seed=7)
    assert (out(learned([(given, [1])], a_library()), twin) >= 1).mean() >= 0.5
    lines = learned([(given, [1]), (twin, [-1])], a_library())
    assert (out(lines, twin) >= 1).sum() <= 1


def test_in_a_head_a_photo_that_is_just_said_has_the_probability_that_says_it() -> None:
    lines = learned([(photos(0, 6, seed=1), [1])], a_library())
    model = lines.put_into(a_model(), [1])
    looks = Looks.join([photos(0, 100, seed=5), a_library()])
    none = np.zeros((len(looks), 0), np.float32)
    features = Features(looks.features, none, none, np.zeros((len(looks), 3), np.float32))
    likely = model.probabilities(features, looks.embeddings)
    says = likely[:, 1] >= SURE[0]
    assert says.any()
    assert np.array_equal(says, out(lines, looks) >= 1)
    assert np.allclose(likely[:, 0], sigmoid(np.float32(-1)))  # the other word is as it was


def a_model() -> WordModel:
    """Two words; the second is one that people made."""
    curve = np.linspace(-12, 12, 40, dtype=np.float32)
    weights = np.zeros((2, 4), np.float32)
    weights[0, 0] = -1
    return WordModel(
        fold=np.zeros((2, 3), np.float32),
        prompts=np.zeros((2, WIDTH), np.float32),
        probe=np.zeros((2, WIDTH), np.float32),
        weights=weights,
        group=np.array([0, 1]),
        knots=np.stack([curve, curve]),
        values=np.stack([curve, curve]),
    )
