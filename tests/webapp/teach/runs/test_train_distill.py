"""Training the backbone on a library: a student under the heads of the version at work."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models.signals import post_save
from PIL import Image

from tests.factories import a_photo, a_sight, a_user
from tests.vision.folders import draw
from vision.eye import load_eye
from vision.versions import open_version
from webapp.library.models import Photo
from webapp.teach.runs import lifecycle
from webapp.teach.runs.holdout import is_held_out
from webapp.teach.runs.models import RunLine, TrainingRun
from webapp.teach.runs.snapshots import read_snapshot, training_folder
from webapp.teach.training.library import work_folder
from webapp.teach.versions.folders import folder_of, models_folder

pytestmark = pytest.mark.django_db

SMALL = {"steps": 2, "batch": 8, "others": 50, "fewest": 16}


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, settings: Any) -> None:
    settings.MAREA_DATA = tmp_path
    models_folder().mkdir()


def a_library(photos: int) -> None:
    owner = a_user()
    for number in range(photos):
        content = io.BytesIO()
        Image.fromarray(draw(number)).save(content, "PNG")
        a_sight(
            a_photo(owner, data=content.getvalue(), media_type="image/png", with_thumbnails=False)
        )


def in_hand(run: TrainingRun) -> int:
    run.job.refresh_from_db()
    lifecycle.take(run)
    return run.pk


@contextmanager
def stopped_once_it_says(run: TrainingRun, text: str) -> Iterator[None]:
    def stop(instance: RunLine, **_: Any) -> None:
        if instance.text == text:
            lifecycle.cancel(run)

    post_save.connect(stop, sender=RunLine)
    try:
        yield
    finally:
        post_save.disconnect(stop, sender=RunLine)


def test_a_stopped_training_goes_on_and_its_student_looks_for_the_same_heads() -> None:
    a_library(30)
    run = lifecycle.ask("distill", user=None, why="To see.", parameters=SMALL)
    with (
        stopped_once_it_says(run, "Teaching the backbone"),
        pytest.raises(CommandError, match="stopped"),
    ):
        call_command("train", run=in_hand(run))
    assert not (work_folder(run) / "photos").exists()
    run.job.refresh_from_db()
    lifecycle.resume(run)
    call_command("train", run=in_hand(run))
    run.refresh_from_db()
    assert set(run.points.values_list("step", flat=True)) == {2}  # the first was not done again
    _learned_from_what_it_may(run)
    _agrees(run)
    assert not work_folder(run).exists()
    assert not list(training_folder().rglob("*.npy"))


def _learned_from_what_it_may(run: TrainingRun) -> None:
    kept = read_snapshot(run.snapshot)
    used = {*kept["learned"], *kept["judged"]}
    assert not {*kept["learned"]} & {*kept["judged"]}
    every = Photo.objects.values_list("sha256", flat=True)
    assert used == {sha for sha in every if not is_held_out(sha)}
    assert run.photos == len(used) < len(every)


def _agrees(run: TrainingRun) -> None:
    assert run.version
    assert run.base
    folder = folder_of(run.version.name)
    version, base = open_version(folder), open_version(folder_of(run.base.name))
    assert version.part("backbone")["name"] == "inception-v3"
    assert version.part("tags") == base.part("tags")
    seen = load_eye(folder, device="cpu").look([draw(600)])[0]
    before = load_eye(base.folder, device="cpu").look([draw(600)])[0]
    assert seen.caption
    assert seen.embedding @ before.embedding > 0.5
    assert run.figures["agreement with the teacher"] > 0.3
    assert "nsfwjs" in (folder / "card.md").read_text("utf-8")


def test_with_too_few_photos_it_says_how_many_it_takes() -> None:
    a_library(3)
    with pytest.raises(CommandError, match=r"photos to learn from .* takes at least 400 and 1"):
        call_command("train", "distill", steps=2)
    run = TrainingRun.objects.get()
    assert run.parameters["steps"] == 2
    assert run.job.state == "failed"
