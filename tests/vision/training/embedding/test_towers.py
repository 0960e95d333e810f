"""Towers of the joint embedding: they learn, resume, merge into one, and lend their space."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.vision.spaces import CONFIG, PHOTOS, TEXT, captioned, named, photos
from tests.vision.training.recorder import Recorder
from vision.backbones.base import Features
from vision.errors import TrainingError
from vision.evaluation.recall import text_to_image
from vision.heads.embedding import TextTower
from vision.heads.image_head import ImageHead, ImageHeadConfig, describe
from vision.training.embedding.image_head import ImageHeadTraining, fit_image_head, standardisation
from vision.training.embedding.merging import merge
from vision.training.embedding.pairs import prompted, speaking_words
from vision.training.embedding.towers import (
    Lesson,
    Merging,
    Tower,
    TowerTraining,
    contrastive,
    train_tower,
)

TRAINING = TowerTraining(
    steps=6,
    batch=16,
    warmup=1,
    save_every=2,
    image_dropout=0.0,
    image_hidden_dropout=0.0,
    text_dropout=0.0,
    text_hidden=16,
)


def train(work: Path, config: TowerTraining = TRAINING, recorder: Recorder | None = None) -> Tower:
    stream = captioned()
    return train_tower(
        [Lesson(stream, 0.8), Lesson(named(), 0.2)],
        CONFIG,
        config,
        photos=[stream.photos],
        text=TEXT,
        work=work,
        progress=recorder or Recorder(),
    )


def recall_at_1(image: ImageHead, text: TextTower) -> float:
    stream = captioned()
    with torch.inference_mode():
        images = image(torch.from_numpy(stream.photos.views[0]).float()).numpy()
        texts = text(stream.sentences).numpy()
    return text_to_image(texts, images, np.arange(PHOTOS))["recall@1"]


def test_an_interrupted_tower_resumes_to_the_same_weights(tmp_path: Path) -> None:
    whole, after = Recorder(), Recorder()
    straight = train(tmp_path / "a", recorder=whole)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "b", recorder=Recorder(stop_after=5))
    resumed = train(tmp_path / "b", recorder=after)
    assert after.losses == whole.losses[4:]
    assert torch.equal(resumed.image.linear.weight, straight.image.linear.weight)


def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    train(tmp_path)
    with pytest.raises(TrainingError, match="other settings"):
        train(tmp_path, replace(TRAINING, first_scale=30.0))


def test_towers_learn_and_their_merger_is_as_good(tmp_path: Path) -> None:
    config = replace(TRAINING, steps=150, peak_rate=5e-3, weight_decay=0.0)
    towers = [train(tmp_path, replace(config, seed=seed)) for seed in range(2)]
    stream = captioned()
    described = torch.from_numpy(stream.photos.views[0]).float()
    merging = Merging(squeezed=20, bank=16, hubs=0.2)
    image, text = merge(towers, described, stream.sentences, CONFIG, merging)
    merged = recall_at_1(image, text)
    assert image.config.hidden == 2 * CONFIG.hidden
    assert merged > 0.5, "chance is 1 in 64"
    for tower in towers:
        with torch.inference_mode():
            images = tower.images(described).numpy()
            texts = tower.text(stream.sentences).numpy()
        alone = text_to_image(texts, images, np.arange(PHOTOS))["recall@1"]
        assert merged >= alone - 0.1


def test_hubs_are_put_back_and_everything_keeps_its_length(tmp_path: Path) -> None:
    tower, stream = train(tmp_path), captioned()
    described = torch.from_numpy(stream.photos.views[0]).float()
    image, text = merge([tower], described, stream.sentences, CONFIG, Merging(20, 16))
    with torch.inference_mode():
        images, texts = image(described), text(stream.sentences)
        assert image.hubs is not None
        nearness = image.hubs.nearness(torch.nn.functional.normalize(image.before_norm(described)))
    assert images.norm(dim=1).numpy() == pytest.approx(np.ones(PHOTOS), abs=1e-5)
    assert texts.norm(dim=1).numpy() == pytest.approx(np.ones(PHOTOS), abs=1e-5)
    assert texts[:, -1].numpy() == pytest.approx(np.full(PHOTOS, 0.4))
    nearest, farthest = nearness[:, 0].argmax(), nearness[:, 0].argmin()
    assert images[nearest, -1] < 0 < images[farthest, -1]


def test_a_head_of_other_features_joins_a_space_by_its_embeddings_alone(tmp_path: Path) -> None:
    tower = train(tmp_path, replace(TRAINING, steps=100, peak_rate=5e-3, weight_decay=0.0))
    with torch.inference_mode():
        wanted = tower.images(torch.from_numpy(photos().views[0]).float()).numpy()
    others = photos_of_another_backbone()
    config = ImageHeadTraining(
        steps=200, batch=32, warmup=5, peak_rate=5e-3, weight_decay=0.0, dropout=0.0,
        hidden_dropout=0.0,
    )  # fmt: skip
    other = replace(CONFIG, pooled=30)
    head = fit_image_head(others, wanted, other, config, work=tmp_path)
    with torch.inference_mode():
        found = head(torch.from_numpy(others[0]).float()).numpy()
    assert (found * wanted).sum(axis=1).mean() > 0.8
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(PHOTOS), abs=1e-4)


def photos_of_another_backbone() -> list[np.ndarray]:
    return [np.concatenate([view, view[:, :10] * 2], axis=1) for view in photos().views]


def test_what_is_true_of_several_photos_is_shared_among_them() -> None:
    true = torch.tensor([[True, False], [True, False], [False, True]])
    best = torch.where(true, 50.0, -50.0)
    assert contrastive(best, true).item() == pytest.approx(np.log(2) / 4, abs=1e-4)
    assert contrastive(-best, true).item() > 10


def test_names_are_asked_with_every_photo_that_has_them() -> None:
    stream = named()
    batch = stream.draw(30, np.random.default_rng(0))
    assert batch.true.any(dim=0).all(), "every name that is asked is true of some photo"
    assert batch.true.any(dim=1).all(), "every photo has a name that is asked"
    everything = named(all_names=True).draw(30, np.random.default_rng(0))
    assert everything.true.shape[1] == len(stream.sentences)


def test_words_that_say_nothing_are_not_asked() -> None:
    captions = [["A dog with the ball .", "dog!"]] * 9 + [["a rare axolotl"]]
    words, own = speaking_words(captions)
    assert words == ["ball", "dog"]
    assert own[0].tolist() == [0, 1]
    assert own[9].tolist() == []
    assert prompted(["cat"])[:2] == ["cat", "a photo of a cat"]


def test_folded_heads_take_raw_descriptions() -> None:
    torch.manual_seed(0)
    head, raw = ImageHead(CONFIG).eval(), photos()
    mean, deviation = standardisation([raw])
    described = torch.from_numpy(raw.views[0]).float()
    with torch.inference_mode():
        before = head((described - mean) / deviation)
        head.fold(mean, deviation)
        assert head(described).numpy() == pytest.approx(before.numpy(), abs=1e-4)


def test_a_description_has_class_names_by_their_probability() -> None:
    names = np.eye(10, 5, dtype=np.float32)
    logits = np.full((1, 10), -50.0, np.float32)
    logits[0, 3] = 50.0
    grid = np.arange(24, dtype=np.float32).reshape(1, 2, 2, 6)
    features = Features(np.ones((1, 20), np.float32), np.ones((1, 4), np.float32), grid, logits)
    config = ImageHeadConfig.of(features, name=5, temperatures=(1.0,))
    (described,) = describe(features, names, (1.0,))
    _, _, named_part, mean, peak = np.split(described, np.cumsum(config.sections)[:-1])
    assert len(described) == config.described
    assert named_part == pytest.approx(names[3], abs=1e-6)
    assert mean == pytest.approx(grid[0].reshape(4, 6).mean(axis=0))
    assert peak == pytest.approx(grid[0, 1, 1])
