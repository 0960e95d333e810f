"""The Eye that ships, looking at drawings."""

import numpy as np
import pytest

from tests.vision.folders import draw
from vision.errors import BadImage
from vision.eye import Eye, load_eye
from vision.pixels import squash
from vision.sight import Sight
from vision.text_encoder import load_text_encoder


@pytest.fixture(scope="module")
def eye() -> Eye:
    return load_eye(device="cpu")


def assert_alike(one: Sight, other: Sight) -> None:
    assert one.embedding == pytest.approx(other.embedding, abs=1e-3)
    assert [name for name, _ in one.tags] == [name for name, _ in other.tags]
    assert one.caption == other.caption
    assert one.caption_confidence == pytest.approx(other.caption_confidence, abs=1e-3)


def test_a_sight_is_complete(eye: Eye) -> None:
    (sight,) = eye.look([draw(1)])
    assert sight.embedding.shape == (512,)
    assert sight.embedding.dtype == np.float32
    assert np.linalg.norm(sight.embedding) == pytest.approx(1.0, abs=1e-5)
    assert len(sight.caption.split()) >= 3
    assert sight.caption[0].isupper()
    assert "<" not in sight.caption
    assert 0.0 <= sight.caption_confidence <= 1.0
    assert all(0.0 < probability <= 1.0 for _, probability in sight.tags)


def test_a_batch_is_seen_like_its_photos_one_by_one(eye: Eye) -> None:
    photos = [draw(number, width=90 + 17 * number, height=200) for number in range(5)]
    for together, alone in zip(eye.look(photos), photos, strict=True):
        assert_alike(together, eye.look([alone])[0])


def test_more_photos_than_fit_a_batch_keep_their_order(
    eye: Eye, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vision.eye.LOOK_BATCH", 2)
    first, second, third = sights = eye.look([draw(1), draw(2), draw(1)])
    assert len(sights) == 3
    assert_alike(first, third)
    assert first.embedding != pytest.approx(second.embedding, abs=1e-2)


def test_nothing_to_look_at_gives_nothing(eye: Eye) -> None:
    assert eye.look([]) == []


def test_a_photo_squashed_beforehand_is_seen_alike(eye: Eye) -> None:
    photo = draw(4, width=400, height=300)
    assert_alike(eye.look([photo])[0], eye.look([squash(photo, eye.input_size)])[0])


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 2)])
def test_odd_sizes_are_looked_at(eye: Eye, size: tuple[int, int]) -> None:
    (sight,) = eye.look([np.full((*size, 3), 128, dtype=np.uint8)])
    assert np.isfinite(sight.embedding).all()


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((8, 8), dtype=np.uint8),
        np.zeros((8, 8, 4), dtype=np.uint8),
        np.zeros((0, 8, 3), dtype=np.uint8),
        np.zeros((8, 8, 3), dtype=np.float32),
    ],
)
def test_what_is_no_photo_is_refused_with_a_reason(eye: Eye, bad: np.ndarray) -> None:
    with pytest.raises(BadImage, match="photo must"):
        eye.look([bad])


def test_a_text_finds_the_photo_it_describes(eye: Eye) -> None:
    """Photos that scikit-learn carries: a Chinese temple roof and a flower."""
    from sklearn.datasets import load_sample_images

    temple, flower = (sight.embedding for sight in eye.look(load_sample_images().images))
    texts = ["a close up of a red flower", "an ornate building with a roof"]
    flower_text, temple_text = load_text_encoder().encode(texts)
    assert flower_text @ flower > flower_text @ temple
    assert temple_text @ temple > temple_text @ flower
