"""Training the tag head on a library: from what people said to a version that says it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tests.factories import a_photo, a_user
from tests.vision.folders import draw
from tests.webapp.teach.runs.drawings import a_drawing
from vision.eye import load_eye
from webapp.library.models import Photo
from webapp.teach.corrections.saying import add_tag, reject_tag
from webapp.teach.models import PhotoTag
from webapp.teach.runs.holdout import is_held_out
from webapp.teach.runs.models import TrainingRun
from webapp.teach.runs.snapshots import read_snapshot
from webapp.teach.training.library import spoken_tags
from webapp.teach.versions.folders import folder_of, models_folder

pytestmark = pytest.mark.django_db

RED_CIRCLES = range(0, 84, 6)  # what `draw` makes of these numbers
GREEN_CROSSES = range(1, 49, 6)


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, settings: Any) -> None:
    settings.MAREA_DATA = tmp_path
    models_folder().mkdir()


def of(photos: list[Photo]) -> Any:
    return Photo.objects.filter(pk__in=[photo.pk for photo in photos])


def test_what_people_say_is_learned_and_said_of_unseen_photos(tmp_path: Path) -> None:
    owner = a_user()
    circles = [a_drawing(owner, number) for number in RED_CIRCLES]
    crosses = [a_drawing(owner, number) for number in GREEN_CROSSES]
    add_tag(owner, of(circles), "balloon of mine")
    reject_tag(owner, of(crosses), "balloon of mine")
    call_command("train", "tags", why="Balloons.", chosen=["steps=60", "others=50"])
    run = TrainingRun.objects.get()
    assert run.job.state == "done"
    assert run.version
    eye = load_eye(folder_of(run.version.name), device="cpu")
    unseen = eye.look([draw(number) for number in range(600, 636, 6)])
    others = eye.look([draw(number) for number in range(601, 637, 6)])
    assert sum("balloon of mine" in dict(sight.tags) for sight in unseen) >= 4
    assert not any("balloon of mine" in dict(sight.tags) for sight in others)
    _learned_from_what_it_may(run, circles + crosses)
    _teaching_the_same_again_changes_nothing(run)


def _learned_from_what_it_may(run: TrainingRun, photos: list[Photo]) -> None:
    kept = read_snapshot(run.snapshot)
    used = {*kept["learned"], *kept["judged"], *kept["others"]}
    assert used
    assert not any(is_held_out(sha) for sha in used)
    assert used == {photo.sha256 for photo in photos if not is_held_out(photo.sha256)}
    assert run.corrections == len(kept["corrections"]) == len(used)
    assert set(run.points.values_list("series", flat=True)) == {"training", "validation"}
    # A correction survives: a person's rows are what they were.
    assert PhotoTag.objects.filter(source="person").count() == len(RED_CIRCLES)


def _teaching_the_same_again_changes_nothing(run: TrainingRun) -> None:
    call_command("train", "tags", why="Again.", chosen=["steps=60", "others=50"])
    again = TrainingRun.objects.order_by("pk").last()
    assert again
    assert again.snapshot == run.snapshot
    names = "tags.csv", "tags.safetensors"
    first, second = (folder_of(each.version_name) for each in (run, again))
    assert all((first / n).read_bytes() == (second / n).read_bytes() for n in names)


def test_without_a_correction_there_is_nothing_to_learn() -> None:
    a_drawing(a_user(), 0)
    with pytest.raises(CommandError, match="Nobody has added or rejected a tag"):
        call_command("train", "tags", chosen=["others=50"])
    assert TrainingRun.objects.get().job.state == "failed"


def test_where_people_contradict_one_another_nothing_is_known() -> None:
    ada, bob = a_user("ada"), a_user("bob")
    data = np.random.default_rng(0).bytes(8)
    hers, his = a_photo(ada, data=data), a_photo(bob, data=data)
    add_tag(ada, of([hers]), "dog")
    reject_tag(bob, of([his]), "dog")
    add_tag(bob, of([his]), "sofa")
    assert spoken_tags() == {hers.sha256: {"sofa": True}}
