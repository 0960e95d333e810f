"""Classifiers for somebody's own classes: what they know, and when they keep silent."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.patterns import a_pattern, pixels_of
from tests.vision.problems import a_training
from vision.classifying.figures import calibration_error, confusions
from vision.classifying.sides import unlike_the_classes
from vision.classifying.snapshot import open_snapshot
from vision.classifying.thresholds import thresholds
from vision.classifying.training import (
    ClassifierTraining,
    train_classifier,
    without_classifier,
)
from vision.classifying.words import in_words
from vision.errors import DataMissing, TrainingError, WeightsError
from vision.eye import joined, load_eye
from vision.versions import classifiers_of, open_version

CLASSES = {"gneis gebändert": "stripes", "斑点": "dots", "[x](http://a) *b*": "checks"}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> ClassifierTraining:
    return a_training(tmp_path_factory.mktemp("classifying"), CLASSES, slug="rocks", head="linear")


@pytest.fixture(scope="module")
def trained(config: ClassifierTraining) -> Path:
    folder = train_classifier(config)
    config.decoders.close()
    return folder


def test_it_knows_new_photos_of_its_classes_and_is_silent_on_others(trained: Path) -> None:
    eye = load_eye(trained, device="cpu")
    for label, kind in CLASSES.items():
        new = [pixels_of(a_pattern(kind, seed)) for seed in range(50, 56)]
        tags = eye.tags(eye.embedded(eye.features(new)))
        assert sum(label in dict(each) for each in tags) >= 4, label
    strange = [pixels_of(a_pattern("rings", seed)) for seed in range(50, 60)]
    strange += [np.full((64, 64, 3), value, np.uint8) for value in (0, 128, 255)]
    tags = eye.tags(eye.embedded(eye.features(strange)))
    assert sum(not CLASSES.keys() & dict(each).keys() for each in tags) >= 12


def test_everything_else_is_as_the_version_that_it_was_trained_beside(trained: Path) -> None:
    ours, base = load_eye(trained, device="cpu"), load_eye(device="cpu")
    photo = [pixels_of(a_pattern("rings", 3))]
    (mine,), (theirs,) = ours.look(photo), base.look(photo)
    assert np.array_equal(mine.embedding, theirs.embedding)
    assert (mine.caption, mine.tags) == (theirs.caption, theirs.tags)


def test_figures_and_card_say_how_good_it_is_in_words(trained: Path) -> None:
    figures = json.loads((trained / "metrics.json").read_text("utf-8"))["classifiers"]["rocks"]
    assert (figures["photos"], figures["learned_from"]) == (9, 27)
    assert figures["top1"] >= 0.6
    assert figures["by_class"].keys() == CLASSES.keys()
    card = (trained / "card.md").read_text("utf-8")
    assert in_words(figures)[0] in card
    assert "斑点" in card
    assert "[x](http://a)" not in card  # a label is text, not a link


def test_what_was_seen_once_is_not_looked_at_again_and_the_same_seed_gives_the_same(
    config: ClassifierTraining, trained: Path
) -> None:
    closed = replace(config, name="rocks-2", to=trained.with_name("rocks-2"))
    again = train_classifier(closed)  # its decoders are closed: features come from the last time
    file = "classifier-rocks.safetensors"
    assert (again / file).read_bytes() == (trained / file).read_bytes()


def test_a_second_classifier_joins_the_first_and_either_can_be_taken_away(
    config: ClassifierTraining, trained: Path
) -> None:
    both = replace(
        config, name="both", slug="two", base=open_version(trained), to=trained.with_name("both")
    )
    version = open_version(train_classifier(both))
    assert classifiers_of(version) == ["classifier:rocks", "classifier:two"]
    one = open_version(without_classifier("one", version, "rocks", trained.with_name("one")))
    assert classifiers_of(one) == ["classifier:two"]
    assert set(json.loads((one.folder / "metrics.json").read_text())["classifiers"]) == {"two"}
    with pytest.raises(WeightsError, match="has no part"):
        without_classifier("none", one, "rocks", trained.with_name("none"))
    assert not list(trained.parent.glob(".*draft"))


def test_a_version_is_never_written_over(config: ClassifierTraining, trained: Path) -> None:
    with pytest.raises(TrainingError, match="here already"):
        train_classifier(config)
    with pytest.raises(TrainingError, match="no head"):
        train_classifier(replace(config, head="best", to=trained.with_name("x")))


@pytest.mark.parametrize("content", ["", "[]", '{"format": 2}', '{"labels": 3}'])
def test_what_is_no_snapshot_is_told(content: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(DataMissing, match="add the photos again"):
        open_snapshot(tmp_path)


def test_thresholds_keep_what_is_right_and_refuse_what_is_mostly_wrong() -> None:
    said = np.repeat([0, 1, 2], 40)
    probability = np.tile(np.linspace(0.2, 0.99, 40), 3).astype(np.float32)
    right = np.ones(120, bool)
    right[40:80] = probability[40:80] > 0.7  # the second class is right when it is sure
    right[80:] = False  # the third never is
    sure, careful, silent = thresholds(said, probability, right, 3)
    assert sure < 0.5
    assert 0.6 < careful < 0.8
    assert silent == 1.0
    assert (thresholds(said, probability, np.zeros(120, bool), 3) == 1).all()


def test_photos_of_the_library_that_look_like_a_class_are_not_learned_as_none() -> None:
    rng = np.random.default_rng(0)
    middles = rng.normal(size=(2, 30)) * 5
    plain = (middles.repeat(20, axis=0) + rng.normal(size=(40, 30))).astype(np.float32)
    labels = np.repeat([0, 1], 20)
    members = middles[:1].repeat(5, axis=0).astype(np.float32)
    far = (rng.normal(size=(30, 30)) * 5).astype(np.float32)
    unlike = unlike_the_classes(np.concatenate([members, far]), plain, labels)
    assert unlike.tolist() == [False] * 5 + [True] * 30
    assert not unlike_the_classes(np.zeros((0, 0), np.float32), plain, labels).size


def test_calibration_error_is_how_far_promises_are_from_what_comes_true() -> None:
    right = np.array([True] * 8 + [False] * 2)
    assert calibration_error(np.full(10, 0.8, np.float32), right) == pytest.approx(0.0, abs=1e-6)
    assert calibration_error(np.full(10, 0.3, np.float32), right) == pytest.approx(0.5, abs=1e-6)


def test_confusions_are_counted_with_the_photos_that_show_them() -> None:
    guess, truth = np.array([1, 1, 0, 2, 0]), np.array([0, 0, 1, 2, 1])
    worst, second = confusions(guess, truth, ["cat", "dog", "cow"], list("abcde"))
    assert worst == {"is": "cat", "taken_for": "dog", "photos": 2, "examples": ["a", "b"]}
    assert (second["is"], second["examples"]) == ("dog", ["c", "e"])


def test_a_tag_of_two_heads_is_said_once_with_the_higher_probability() -> None:
    assert joined([("a", 0.5), ("b", 0.4)], [("b", 0.9)]) == [("b", 0.9), ("a", 0.5)]


def test_words_say_nothing_that_the_figures_do_not(trained: Path) -> None:
    figures = json.loads((trained / "metrics.json").read_text("utf-8"))["classifiers"]["rocks"]
    perfect = figures | {"top1": 1.0, "confusions": [], "background": {"photos": 0, "tagged": 0}}
    assert "practically every time" in in_words(perfect)[0]
    assert not any("takes" in sentence for sentence in in_words(perfect))
    assert "no photos to learn from" in in_words(perfect)[-1]
