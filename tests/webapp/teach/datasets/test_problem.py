"""Train on another problem: from a folder of classes to tags that search finds."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.factories import a_photo, a_user
from tests.patterns import a_pattern, write_classes
from vision.classifying import training
from webapp.find.services import find_photos
from webapp.teach.datasets import asking
from webapp.teach.datasets.models import DataSet
from webapp.teach.models import PhotoTag
from webapp.teach.runs.models import TrainingRun
from webapp.teach.versions.folders import models_folder

# Transactions end as in real life: beside the training, a thread keeps its job in hand.
pytestmark = pytest.mark.django_db(transaction=True)

CLASSES = {"Gneis_gebändert": "stripes", "斑点": "dots"}


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, settings: Any) -> None:
    settings.MAREA_DATA = tmp_path / "data"
    models_folder().mkdir(parents=True)


def test_a_folder_of_classes_becomes_tags_that_search_finds(tmp_path: Path) -> None:
    owner = a_user("ada")
    for seed in range(8):
        a_photo(owner, data=a_pattern("rings", seed))
    folder = write_classes(tmp_path / "rocks", CLASSES, photos=30)
    call_command("train", "problem", folder=folder, name="Rocks", head="linear", stdout=StringIO())

    run, data_set = TrainingRun.objects.get(), DataSet.objects.get()
    assert (run.snapshot, run.photos, data_set.classes) == (data_set.digest, 60, 2)
    assert set(run.points.values_list("measure", flat=True)) >= {"loss", "top-1"}
    assert run.version
    assert set(run.version.metrics["classifiers"]) == {"rocks"}

    unseen = write_classes(tmp_path / "unseen", CLASSES, photos=5, first=80)
    write_classes(unseen, {"others": "rings"}, photos=5, first=80)
    out = StringIO()
    call_command("evaluate", "classifier", "rocks", folder=unseen, json=True, stdout=out)
    figures = json.loads(out.getvalue())
    assert (figures["photos"], figures["classes"], figures["others"]) == (10, 2, 5)
    assert figures["top1"] >= 0.8
    assert figures["others_tagged"] <= 0.2
    call_command("evaluate", "classifier", "rocks", folder=unseen, stdout=out)
    assert run.version.name in out.getvalue()

    dotted = [a_photo(owner, data=a_pattern("dots", seed)) for seed in range(70, 76)]
    call_command("models", "activate", run.version.name, stdout=StringIO(), stderr=StringIO())
    tagged = PhotoTag.objects.shown().filter(photo__in=dotted, tag__name="斑点")
    assert tagged.count() >= 3
    found = {found.photo.pk for found in find_photos(owner, "tag:斑点").found}
    assert set(tagged.values_list("photo", flat=True)) <= found
    assert find_photos(owner, "斑点").found[0].photo.pk in found

    call_command("models", "forget", "rocks", stdout=StringIO())
    (without,) = models_folder().glob("*-without-rocks")
    assert not list(without.glob("classifier-*"))


def test_every_head_can_be_asked_for_and_no_other() -> None:
    assert asking.HEADS == training.HEADS


def test_the_commands_say_what_they_need(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="NAME --folder DIR"):
        call_command("evaluate", "classifier", "rocks")
    with pytest.raises(CommandError, match="No version on this machine has a classifier rocks"):
        call_command("evaluate", "classifier", "rocks", folder=tmp_path)
    with pytest.raises(CommandError, match="--folder DIR or --zip FILE"):
        call_command("train", "problem", name="Rocks")
    with pytest.raises(CommandError, match="is not there"):
        call_command("train", "problem", folder=tmp_path / "none", name="Rocks")
    write_classes(tmp_path / "one", {"only": "dots"}, photos=6)
    with pytest.raises(CommandError, match="at least two folders"):
        call_command("train", "problem", folder=tmp_path / "one", name="Rocks")
    assert not list((tmp_path / "data" / "datasets").glob(".*"))
