"""Around any training: features of a drawn collection, what is missing, publishing."""

from pathlib import Path

import numpy as np
import pytest

from tests.vision.folders import write_collection
from vision.collection import Collection
from vision.errors import DataMissing, TrainingError
from vision.training.features import FeatureCache
from vision.training.publish import Draft
from vision.training.workshop import Workshop
from vision.versions import open_version


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
