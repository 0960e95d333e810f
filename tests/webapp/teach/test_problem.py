"""Train on another problem: from a folder of classes to tags that search finds."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from tests.factories import a_photo, a_user
from tests.patterns import a_pattern, write_classes
from vision.classifying.training import without_classifier
from vision.errors import WeightsError
from vision.eye import load_eye
from vision.versions import classifiers_of, open_version
from webapp.find.services import find_photos
from webapp.teach.data_models import DataSet
from webapp.teach.models import ModelVersion, PhotoTag
from webapp.teach.run_models import TrainingRun
from webapp.teach.versions import models_folder

pytestmark = pytest.mark.django_db

CLASSES = {"Gneis_gebändert": "stripes", "斑点": "dots", "checks": "checks"}


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, settings: Any) -> None:
    settings.MAREA_DATA = tmp_path / "data"
    models_folder().mkdir(parents=True)


@pytest.fixture
def trained(tmp_path: Path) -> ModelVersion:
    """A version with a classifier of patterns, trained beside a library with other photos."""
    owner = a_user()
    for seed in range(12):
        a_photo(owner, data=a_pattern("rings", seed))
    folder = write_classes(tmp_path / "rocks", CLASSES, photos=14)
    call_command("train", "problem", folder=folder, name="Rocks", head="linear", stdout=StringIO())
    version = TrainingRun.objects.get().version
    assert version is not None
    return version


def pixels(data: bytes, folder: Path) -> np.ndarray:
    path = folder / "photo.jpg"
    path.write_bytes(data)
    return np.asarray(Image.open(path).convert("RGB"))


def test_a_trained_classifier_knows_new_photos_of_its_classes_and_is_silent_on_others(
    trained: ModelVersion, tmp_path: Path
) -> None:
    eye = load_eye(models_folder() / trained.name)
    for name, kind in (("gneis gebändert", "stripes"), ("斑点", "dots"), ("checks", "checks")):
        new = [pixels(a_pattern(kind, seed), tmp_path) for seed in range(50, 56)]
        right = [name in dict(sight.tags) for sight in eye.look(new)]
        assert np.mean(right) >= 0.6, name
    others = [pixels(a_pattern("rings", seed), tmp_path) for seed in range(50, 60)]
    others += [np.full((64, 64, 3), value, np.uint8) for value in (0, 128, 255)]
    labels = {"gneis gebändert", "斑点", "checks"}
    assert [labels & dict(sight.tags).keys() for sight in eye.look(others)].count(set()) >= 12


def test_its_tags_are_found_once_it_is_at_work(trained: ModelVersion, tmp_path: Path) -> None:
    owner = a_user("ada")
    photos = [a_photo(owner, data=a_pattern("dots", seed)) for seed in range(70, 76)]
    call_command("models", "activate", trained.name, stdout=StringIO(), stderr=StringIO())
    tagged = PhotoTag.objects.shown().filter(photo__in=photos, tag__name="斑点")
    assert tagged.count() >= 3
    found = {found.photo.pk for found in find_photos(owner, "tag:斑点").found}
    assert found == set(tagged.values_list("photo", flat=True))
    assert find_photos(owner, "斑点").found[0].photo.pk in found


def test_a_second_classifier_joins_the_first_and_either_can_be_taken_away(
    trained: ModelVersion, tmp_path: Path
) -> None:
    call_command("models", "activate", trained.name, stdout=StringIO(), stderr=StringIO())
    folder = write_classes(tmp_path / "two", {"a": "rings", "b": "dots"}, photos=8)
    call_command("train", "problem", folder=folder, name="Two", head="linear", stdout=StringIO())
    both = open_version(models_folder() / TrainingRun.objects.latest("pk").version.name)
    assert classifiers_of(both) == ["classifier:rocks", "classifier:two"]
    one = open_version(without_classifier("one", both, "rocks", models_folder() / "one"))
    assert classifiers_of(one) == ["classifier:two"]
    assert set(json.loads((one.folder / "metrics.json").read_text())["classifiers"]) == {"two"}
    with pytest.raises(WeightsError, match="has no part"):
        without_classifier("none", one, "rocks", models_folder() / "none")
    assert not list(models_folder().glob(".*draft"))


def test_a_run_says_what_it_learned_from_and_how_well(trained: ModelVersion) -> None:
    run, data_set = TrainingRun.objects.get(), DataSet.objects.get()
    assert (run.snapshot, run.photos) == (data_set.digest, 42)
    assert set(run.points.values_list("measure", flat=True)) >= {"loss", "top-1"}
    figures = trained.metrics["classifiers"]["rocks"]
    assert figures["photos"] == 6
    assert figures["top1"] >= 0.5
    assert set(figures["by_class"]) == {"gneis gebändert", "斑点", "checks"}


def test_the_command_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--folder DIR or --zip FILE"):
        call_command("train", "problem", name="Rocks")
    with pytest.raises(CommandError, match="is not there"):
        call_command("train", "problem", folder=tmp_path / "none", name="Rocks")
    write_classes(tmp_path / "one", {"only": "dots"}, photos=6)
    with pytest.raises(CommandError, match="at least two folders"):
        call_command("train", "problem", folder=tmp_path / "one", name="Rocks")
    assert not list((tmp_path / "data" / "datasets").glob(".*"))
