"""Training on a drawn collection: it runs, resumes to the same loss, and says what is missing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.vision.folders import write_collection
from vision.collection import Collection
from vision.errors import DataMissing, TrainingError
from vision.training.embedding import EmbeddingTraining, Pairs, train_embedding
from vision.training.features import FeatureCache
from vision.training.publish import Draft
from vision.training.workshop import Workshop
from vision.versions import open_version

Losses = list[tuple[int, float]]


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return Collection(write_collection(tmp_path_factory.mktemp("data") / "shapes"))


@pytest.fixture(scope="module")
def cache(collection: Collection, tmp_path_factory: pytest.TempPathFactory) -> FeatureCache:
    version = open_version()
    spec = version.part("backbone")
    folder = tmp_path_factory.mktemp("cache")
    cache = FeatureCache(folder, version.path(spec["onnx"]), spec["input_size"])
    cache.extract(collection, "train")
    return cache


@pytest.fixture
def pairs(cache: FeatureCache, collection: Collection) -> Pairs:
    """Features of drawings beside sentence features drawn at random, one for each caption."""
    views = [
        np.concatenate([cache.load(collection, "train", p, v) for p in ("pooled", "stride16")], 1)
        for v in ("plain", "flip")
    ]
    count = len(views[0])
    sentences = np.random.default_rng(0).normal(size=(2 * count, 384)).astype(np.float32)
    return Pairs(
        views=[torch.from_numpy(view.astype(np.float32)) for view in views],
        sentences=torch.from_numpy(sentences),
        captions_of=[np.array([2 * photo, 2 * photo + 1]) for photo in range(count)],
    )


EMBEDDING = EmbeddingTraining(shares=(1.0,), steps=4, batch=12, save_every=2)


class Recorder:
    """A progress callback that keeps losses and may pull the plug."""

    def __init__(self, *, stop_after: int | None = None) -> None:
        self.losses: Losses = []
        self.stop_after = stop_after

    def __call__(self, done: int, total: int, figures: dict[str, float]) -> None:
        self.losses.append((done, figures["loss"]))
        if done == self.stop_after:
            raise KeyboardInterrupt


def test_an_interrupted_embedding_resumes_to_the_same_weights(pairs: Pairs, tmp_path: Path) -> None:
    whole, after = Recorder(), Recorder()
    straight = train_embedding([pairs], EMBEDDING, work=tmp_path / "a", progress=whole)
    with pytest.raises(KeyboardInterrupt):
        train_embedding([pairs], EMBEDDING, work=tmp_path / "b", progress=Recorder(stop_after=3))
    resumed = train_embedding([pairs], EMBEDDING, work=tmp_path / "b", progress=after)

    assert after.losses == whole.losses[2:]
    assert torch.equal(resumed.image.linear.weight, straight.image.linear.weight)


def test_the_embedding_learns(pairs: Pairs, tmp_path: Path) -> None:
    recorder = Recorder()
    config = replace(EMBEDDING, steps=40, warmup=2, image_dropout=0.0)
    train_embedding([pairs], config, work=tmp_path, progress=recorder)
    assert recorder.losses[-1][1] < 0.7 * recorder.losses[0][1]


def test_a_checkpoint_of_other_settings_is_refused(pairs: Pairs, tmp_path: Path) -> None:
    train_embedding([pairs], EMBEDDING, work=tmp_path)
    with pytest.raises(TrainingError, match="other settings"):
        train_embedding([pairs], replace(EMBEDDING, seed=1), work=tmp_path)


def test_features_are_extracted_once_and_an_archive_is_whole_or_absent(
    cache: FeatureCache, collection: Collection
) -> None:
    files = {path: path.stat().st_mtime_ns for path in cache.root.rglob("*.npy")}
    assert len(files) == 2 * 2 * 5, "two archives, two views, four parts and the names"
    cache.extract(collection, "train")
    assert {path: path.stat().st_mtime_ns for path in cache.root.rglob("*.npy")} == files
    assert not list(cache.root.rglob("*.partial"))


def test_a_flip_is_not_the_photo(cache: FeatureCache, collection: Collection) -> None:
    plain, flip = (cache.load(collection, "train", "grid", view) for view in ("plain", "flip"))
    assert plain.shape == (24, 9, 9, 352)
    assert np.abs(plain.astype(np.float32) - flip.astype(np.float32)).max() > 0.1


def test_missing_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match="no 'flickr8k' in the data folder"):
        Workshop(data=tmp_path / "none", work=tmp_path).all_collections()
    with pytest.raises(DataMissing, match="no photos of the split 'train'"):
        Collection(tmp_path).archives("train")
    with pytest.raises(DataMissing, match="without captions"):
        Collection(tmp_path).captions("train")


def test_a_version_is_never_overwritten(tmp_path: Path) -> None:
    draft = Draft.start("trial", tmp_path / "draft", base=open_version())
    to = draft.publish(tmp_path / "trial", metrics={}, card="# trial")
    assert open_version(to).parts == open_version().parts
    with pytest.raises(TrainingError, match="already exists"):
        draft.publish(to, metrics={}, card="")
