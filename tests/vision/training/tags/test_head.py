"""Calibration: probabilities that can be believed, thresholds that keep their promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.heads.word_model import sigmoid
from vision.training.tags.fusion import Fusion, Witnessed, fit_curve, fit_weights, presence
from vision.training.tags.head import TagTraining, fold_matrix, train_tags
from vision.training.tags.isotonic import isotonic
from vision.training.tags.material import TagPhotos
from vision.training.tags.probes import ProbeTraining
from vision.training.tags.thresholds import NEVER, Judged, TagCalibration, lower_bound, thresholds
from vision.vocabulary import vocabulary


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 3)), max_size=30))
def test_the_isotonic_curve_rises_and_keeps_the_mean(pairs: list[tuple[float, float]]) -> None:
    values, weights = [v for v, _ in pairs], [w for _, w in pairs]
    fitted = isotonic(values, weights)
    assert (np.diff(fitted) >= -1e-9).all()
    assert np.dot(fitted, weights) == pytest.approx(np.dot(values, weights), abs=1e-6)


def test_what_rises_already_stays() -> None:
    assert isotonic([1, 2, 3], [1, 1, 1]).tolist() == [1, 2, 3]
    assert isotonic([1, 3, 2], [1, 1, 1]).tolist() == [1, 2.5, 2.5]


def test_a_curve_recovers_probabilities_that_were_overstated() -> None:
    rng = np.random.default_rng(7)
    truth = rng.uniform(-4, 4, size=60_000).astype(np.float32)
    named = (rng.uniform(size=len(truth)) < sigmoid(truth)).astype(np.float32)
    knots, values = fit_curve(3 * truth + 1, named, knots=40)
    asked = np.array([-2.0, 0.0, 2.0], np.float32)
    recovered = sigmoid(np.interp(3 * asked + 1, knots, values).astype(np.float32))
    assert recovered == pytest.approx(sigmoid(asked), abs=0.04)


def test_silence_of_someone_who_tells_all_means_absence() -> None:
    named, probable = np.array([True, False]), np.array([0.5, 0.5], np.float32)
    assert presence(named, probable, np.ones(2, np.float32)).tolist() == [1.0, 0.0]
    assert presence(named, probable, np.full(2, 0.5, np.float32)).tolist() == pytest.approx(
        [1.0, 1 / 3]
    )


def test_weights_are_found_although_half_of_the_mentions_are_missing() -> None:
    rng = np.random.default_rng(7)
    witness = rng.normal(size=10_000).astype(np.float32)
    there = rng.uniform(size=len(witness)) < sigmoid(-1 + 2 * witness)
    named = there & (rng.uniform(size=len(witness)) < 0.5)
    data = Witnessed(
        witnesses=np.stack([np.zeros_like(witness), np.zeros_like(witness), witness], axis=1),
        named=named,
        rate=np.full(len(witness), 0.5, np.float32),
        weight=np.ones(len(witness), np.float32),
    )
    uses, prior = np.array([False, False, True]), np.array([0, 0, 0, 1], np.float32)
    fitted = fit_weights(
        data, prior, Fusion(rounds=150, hold=1.0, hold_bias=1e-3, thin=1), uses=uses
    )
    assert fitted == pytest.approx([-1, 0, 0, 2], abs=0.3)


def test_a_word_without_photos_keeps_the_weights_of_its_kin() -> None:
    data = Witnessed(
        witnesses=np.zeros((50, 3), np.float32),
        named=np.zeros(50, bool),
        rate=np.ones(50, np.float32),
        weight=np.ones(50, np.float32),
    )
    prior = np.array([-3, 0.4, 6.0, 0.9], np.float32)
    fitted = fit_weights(data, prior, Fusion(), uses=np.array([True, True, False]))
    assert fitted[1:] == pytest.approx([0.4, 6.0, 0.0])


def judged(probable: np.ndarray, rng: np.random.Generator) -> Judged:
    right = (rng.uniform(size=len(probable)) < probable).astype(np.float32)
    return Judged(probable.astype(np.float32), right, np.zeros(len(right), int))


def test_thresholds_reach_their_precision_on_photos_that_did_not_set_them() -> None:
    rng = np.random.default_rng(7)
    words = [judged(rng.beta(0.3, 0.8, size=3000), rng) for _ in range(20)]
    chosen = thresholds(words, ["things"] * 20, TagCalibration())
    right = said = 0.0
    for threshold in chosen:
        fresh = judged(rng.beta(0.3, 0.8, size=3000), rng)
        right += fresh.right[fresh.probable >= threshold].sum()
        said += (fresh.probable >= threshold).sum()
    assert said > 100
    assert right / said >= 0.9


def test_a_word_that_is_wrong_too_often_is_never_said() -> None:
    half = np.tile([1, 0], 100).astype(np.float32)
    wrong = Judged(np.full(200, 0.9, np.float32), half, np.zeros(200, int))
    assert thresholds([wrong], ["things"], TagCalibration()).tolist() == [NEVER]


def test_a_word_that_is_wrong_in_one_collection_is_said_only_where_both_agree() -> None:
    probable = np.tile(np.linspace(0.99, 0.6, 400), 2).astype(np.float32)
    right = np.concatenate([np.ones(400), np.linspace(0.99, 0.6, 400) > 0.9]).astype(np.float32)
    source = np.repeat([0, 1], 400)
    alone = thresholds([Judged(probable, right, source * 0)], ["things"], TagCalibration())
    apart = thresholds([Judged(probable, right, source)], ["things"], TagCalibration())
    assert apart[0] > alone[0]


def test_rare_words_are_judged_together() -> None:
    rare = Judged(np.full(3, 0.95, np.float32), np.ones(3, np.float32), np.zeros(3, int))
    alone = thresholds([rare], ["things"], TagCalibration())
    together = thresholds([rare] * 20, ["things"] * 20, TagCalibration())
    assert alone.tolist() == [NEVER]
    assert together == pytest.approx([0.95] * 20)


def test_the_lower_bound_nears_the_share_as_photos_grow() -> None:
    few, many = lower_bound(np.array([9.0, 9000.0]), np.array([10, 10_000]), 1.0)
    assert few < many < 0.9
    assert many == pytest.approx(0.9, abs=0.01)


def some_photos(count: int) -> tuple[TagPhotos, list]:
    """Photos of dogs, told by features, of which three in four captions speak."""
    rng = np.random.default_rng(7)
    words = [vocabulary()[name] for name in ("animal", "dog", "pug", "beach")]
    dog, beach = rng.uniform(size=(2, count)) < 0.3
    inputs = rng.normal(size=(count, 6))
    inputs[:, 0] += 4 * dog
    inputs[:, 1] += 4 * beach
    logits = rng.normal(size=(count, 1000))
    logits[dog, 207] += 12
    shown = np.stack([dog, dog, np.zeros(count, bool), beach], axis=1)
    shown &= (rng.uniform(size=count) < 0.75)[:, None]
    photos = TagPhotos(
        name="drawn",
        inputs=(inputs.astype(np.float16),),
        logits=logits.astype(np.float16),
        embeddings=rng.normal(size=(count, 8)).astype(np.float16),
        shown=shown,
        right=shown,
        judged=np.ones(4, bool),
        complete=np.zeros(4, bool),
        captions=1,
        looks=np.zeros(shown.shape, np.int8),
    )
    return photos, words


def test_a_trained_head_says_dog_of_dogs() -> None:
    photos, words = some_photos(2000)
    config = TagTraining(
        probe=ProbeTraining(epochs=8, batch=100, folds=2, peak_rate=0.02),
        # One caption in four leaves out the dog, so more cannot be proven.
        calibration=TagCalibration(right=0.65, right_anywhere=0.6),
    )
    trained = train_tags(
        [photos], words, np.zeros((4, 8), np.float32), np.full(4, 0.75, np.float32), config
    )
    dog = [word.name for word in words].index("dog")
    said = trained.unseen[0][:, dog] >= trained.thresholds[dog]
    named = photos.shown[:, dog]
    assert (said & named).sum() > 0.8 * named.sum()
    assert named[said].mean() > 0.65
    assert trained.thresholds[2] == NEVER, "nobody named a pug"


def test_classes_count_for_broader_words() -> None:
    words = [vocabulary()[name] for name in ("animal", "dog", "pug")]
    animal, dog, pug = fold_matrix(words)
    assert pug.sum() == 1
    assert (animal >= dog).all()
    assert (dog >= pug).all()
