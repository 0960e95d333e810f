"""Teaching a tag head what people said: it learns, keeps the rest, and goes on where it was."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vision.backbones.base import Features
from vision.heads.word_model import WordModel
from vision.heads.word_tags import WordTable
from vision.training.owned.own_words import SURE
from vision.training.owned.tag_lessons import Spoken, completeness, make_targets, stated_words
from vision.training.owned.tags import (
    TagMaterial,
    TagRetraining,
    Taught,
    retrain_tags,
    with_words,
)

WIDTH, SUBJECTS = 24, 6
CONFIG = TagRetraining(steps=120, batch=32, save_every=7)


def a_table() -> WordTable:
    """animal > dog, cat; sofa; and a word that people made."""
    words = ("animal", "dog", "cat", "sofa", "miso")
    return WordTable(
        words=words,
        groups=("animals", "animals", "animals", "things", "own"),
        broader=(-1, 0, 0, -1, -1),
        classes=((),) * 5,
        thresholds=np.array([0.8, 0.8, 0.8, 0.8, 2.0], np.float32),
        hurtful=np.zeros(5, bool),
        people=np.zeros(5, bool),
    )


def photos(subject: int, count: int, *, seed: int) -> np.ndarray:
    """Embeddings of one subject: its own direction, and a little noise."""
    centre = np.random.default_rng(subject).normal(size=WIDTH)
    noise = np.random.default_rng([seed, subject]).normal(scale=0.35, size=(count, WIDTH))
    vectors = centre + noise
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def thought(count: int, *, cat: float = -4.0) -> np.ndarray:
    """Log-odds of photos: nothing much, and how surely a cat."""
    return np.tile(np.array([-4.0, -4.0, cat, -4.0, -5.0], np.float32), (count, 1))


def a_library(given: int = 8) -> TagMaterial:
    """Photos of Miso, whom the head takes for any cat; others of other cats and of no cat."""
    miso, cats = photos(0, given, seed=1), photos(1, 12, seed=1)
    spoken = [Spoken(f"m{n}", {"miso": True, "cat": True}) for n in range(given)]
    spoken += [Spoken(f"c{n}", {"cat": n % 2 == 0}) for n in range(4)]
    others = [photos(subject, 20, seed=2) for subject in range(2, SUBJECTS)]
    return TagMaterial(
        spoken=spoken,
        log_odds=np.concatenate([thought(given, cat=-0.5), thought(4, cat=2.0)]),
        embeddings=np.concatenate([miso, cats[:4]]),
        judged_by=[Spoken("j", {"miso": True})],
        judged_log_odds=thought(1, cat=-0.5),
        judged_embeddings=photos(0, 1, seed=9),
        other_log_odds=np.concatenate([thought(8, cat=2.0), thought(80)]),
        other_embeddings=np.concatenate([cats[4:], *others]),
        features=features_of(np.concatenate([miso, cats[:4]])),
        other_features=features_of(np.concatenate([cats[4:], *others])),
    )


def features_of(embeddings: np.ndarray) -> np.ndarray:
    """What a backbone sees, larger and off the middle."""
    return 3 + 20 * embeddings[:, ::-1]


def log_odds_of(taught: Taught, base: np.ndarray, embeddings: np.ndarray) -> np.ndarray:
    return base + embeddings @ taught.taught[:, :-1].T + taught.taught[:, -1]


def test_who_says_dog_says_animal_and_who_says_no_animal_says_no_dog() -> None:
    spoken = [
        Spoken("a", {"dog": True}),
        Spoken("b", {"animal": False}),
        Spoken("c", {"animal": False, "cat": True}),
    ]
    said = stated_words(spoken, a_table())
    assert said.tolist() == [[1, 1, 0, 0, 0], [-1, -1, -1, 0, 0], [-1, -1, 1, 0, 0]]


def test_silence_means_more_where_people_name_most_of_what_is_there() -> None:
    likely = np.array([[0.5, 0.5, 0.95]], np.float32)
    said = np.array([[False, False, True]])
    assert completeness(np.array([[1, 0, 0]]), likely, said) == pytest.approx(0.95)
    assert completeness(np.array([[0, 0, 0]]), likely, said) == 0
    two = completeness(np.array([[1, 0, 0], [0, 0, 0]]), likely.repeat(2, 0), said.repeat(2, 0))
    assert two[0] > 2 * two[1]  # who names all of one photo may be silent about another
    log_odds = np.zeros((2, 5), np.float32)
    quiet = make_targets(stated_words([Spoken("a", {"sofa": False})] * 2, a_table()),
                         log_odds, a_table(), unspoken=1.0)  # fmt: skip
    assert quiet.likely[0, 1] == pytest.approx(0.5)  # nobody added anything: nothing is known
    told = make_targets(stated_words([Spoken("a", {"sofa": True, "cat": True})] * 2, a_table()),
                        log_odds, a_table(), unspoken=1.0)  # fmt: skip
    assert told.likely[0, 1] < 0.2


def test_a_word_of_ones_own_is_said_of_photos_like_those_that_got_it(tmp_path: Path) -> None:
    taught = retrain_tags(a_library(), a_table(), [4], CONFIG, work=tmp_path)
    assert taught.thresholds[4] == pytest.approx(SURE[0])
    assert not taught.taught[4].any()  # its line says all
    miso, cats = (own_likely(taught, photos(subject, 30, seed=5)) for subject in (0, 1))
    assert (miso >= SURE[0]).mean() >= 0.6
    assert (cats >= SURE[0]).mean() <= 0.1


def own_likely(taught: Taught, embeddings: np.ndarray) -> np.ndarray:
    """How likely photos show Miso, by the head that was taught."""
    grown, model = with_words(a_known_table(), a_known_model(), ["miso"])
    own = [number for number, group in enumerate(grown.groups) if group == "own"]
    model = taught.put_into(model, own)
    none = np.zeros((len(embeddings), 0), np.float32)
    nothing = np.zeros((len(embeddings), 3), np.float32)
    features = Features(features_of(embeddings).astype(np.float32), none, none, nothing)
    return model.probabilities(features, embeddings)[:, own[0]]


def a_known_table() -> WordTable:
    """`a_table` before anybody made a word."""
    table = a_table()
    kept = {
        name: getattr(table, name)[:-1]
        for name in ("words", "groups", "broader", "classes", "thresholds", "hurtful", "people")
    }
    return WordTable(**kept)


def a_known_model() -> WordModel:
    curve = np.linspace(-12, 12, 40, dtype=np.float32)[None]
    return WordModel(
        fold=np.zeros((4, 3), np.float32),
        prompts=np.zeros((4, WIDTH), np.float32),
        probe=np.zeros((4, WIDTH), np.float32),
        weights=np.zeros((4, 4), np.float32),
        group=np.zeros(4, np.int64),
        knots=curve,
        values=curve,
    )


def test_what_an_earlier_training_knew_of_own_words_is_learned_anew(tmp_path: Path) -> None:
    taught = retrain_tags(a_library(), a_table(), [4], CONFIG, work=tmp_path)
    grown, model = with_words(a_known_table(), a_known_model(), ["miso"])
    before = taught.put_into(model, [4])
    again, blank = with_words(grown, before, [])
    assert again.words == grown.words
    embeddings = photos(0, 5, seed=5)
    none, nothing = np.zeros((5, 0), np.float32), np.zeros((5, 3), np.float32)
    features = Features(features_of(embeddings).astype(np.float32), none, none, nothing)
    assert before.probabilities(features, embeddings)[:, 4].max() > 0.5
    assert blank.probabilities(features, embeddings)[:, 4].max() < 0.01


def test_a_word_that_was_added_becomes_likelier_on_unseen_photos_alike(tmp_path: Path) -> None:
    taught = retrain_tags(a_library(), a_table(), [4], CONFIG, work=tmp_path)
    unseen = log_odds_of(taught, thought(30, cat=-0.5), photos(0, 30, seed=5))
    assert (unseen[:, 2] > -0.1).mean() >= 0.9  # before: -0.5 everywhere


def test_a_tag_that_was_rejected_becomes_less_likely_on_unseen_photos_alike(tmp_path: Path) -> None:
    statue = photos(0, 8, seed=1)
    others = np.concatenate([photos(subject, 20, seed=2) for subject in range(1, SUBJECTS)])
    material = TagMaterial(
        [Spoken(f"s{n}", {"cat": False}) for n in range(8)], thought(8, cat=2.5), statue,
        [], thought(0), statue[:0], thought(100, cat=2.5), others,
        features=features_of(statue), other_features=features_of(others),
    )  # fmt: skip
    taught = retrain_tags(material, a_table(), [], CONFIG, work=tmp_path)
    unseen = log_odds_of(taught, thought(30, cat=2.5), photos(0, 30, seed=5))
    rest = log_odds_of(taught, thought(30, cat=2.5), photos(2, 30, seed=5))
    assert unseen[:, 2].mean() < 1.2
    assert rest[:, 2].mean() > 2.0


def test_photos_that_nobody_corrected_keep_their_answers(tmp_path: Path) -> None:
    taught = retrain_tags(a_library(), a_table(), [4], CONFIG, work=tmp_path)
    for subject in range(2, SUBJECTS):
        unseen = log_odds_of(taught, thought(30), photos(subject, 30, seed=7))
        assert np.abs(unseen[:, :4] - thought(30)[:, :4]).mean() < 0.6


def test_killed_at_random_points_it_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole = retrain_tags(a_library(), a_table(), [4], CONFIG, work=tmp_path / "whole")
    chance, kills = random.Random(7), 0
    while kills < 3:
        kills += _killed_at(chance.randrange(3, 40), tmp_path / "killed")
    rest: list[int] = []
    again = retrain_tags(
        a_library(), a_table(), [4], CONFIG, work=tmp_path / "killed",
        progress=lambda done, total, figures: rest.append(done),
    )  # fmt: skip
    assert rest[0] > 1  # it went on, and did not begin anew
    assert np.array_equal(whole.taught, again.taught)
    assert np.array_equal(whole.thresholds, again.thresholds)


def _killed_at(step: int, work: Path) -> bool:
    """Train in a process that kills itself after so many steps; whether it was killed."""
    program = [sys.executable, "-m", "tests.vision.training.owned.dying", str(step), str(work)]
    return subprocess.run(program, check=False, timeout=60).returncode == -signal.SIGKILL
