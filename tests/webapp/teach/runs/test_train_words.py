"""Training search and captions on a library: from captions that people wrote to a version."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tests.factories import a_user, an_administrator
from tests.vision.folders import draw
from tests.webapp.teach.runs.drawings import a_drawing
from vision.errors import TrainingError
from vision.eye import load_eye
from vision.text_encoder import load_text_encoder
from webapp.find.history.models import SearchDeed
from webapp.library.models import Photo
from webapp.teach.corrections.saying import write_caption
from webapp.teach.runs.holdout import is_held_out
from webapp.teach.runs.lifecycle import ask
from webapp.teach.runs.models import TrainingRun
from webapp.teach.runs.snapshots import read_snapshot, snapshot_path
from webapp.teach.services import weights_folder
from webapp.teach.training import captions
from webapp.teach.versions.folders import folder_of, models_folder

pytestmark = pytest.mark.django_db

CAPTION = "A red balloon in the fog"


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, settings: Any) -> None:
    settings.MAREA_DATA = tmp_path
    models_folder().mkdir()


@pytest.fixture
def library() -> list[Photo]:
    """Red circles with captions, other drawings without."""
    owner = a_user()
    circles = [a_drawing(owner, number) for number in range(0, 60, 6)]
    for photo in circles:
        write_caption(owner, photo, CAPTION)
    return circles + [a_drawing(owner, number) for number in (1, 2, 3, 4, 5, 7, 8)]


def test_search_learns_captions_and_forgets_what_was_searched_when_it_is_erased(
    library: list[Photo],
) -> None:
    owner = library[0].owner
    unwanted = next(photo for photo in library[10:] if not is_held_out(photo.sha256))
    SearchDeed.objects.create(user=owner, photo=unwanted, text="a secret wish", key="k",
                              kind="not_this")  # fmt: skip
    call_command("train", "embedding", chosen=["steps=40", "others=50"])
    run = TrainingRun.objects.get()
    assert run.version
    assert run.base
    assert read_snapshot(run.snapshot)["deeds"]
    assert "secret" not in snapshot_path(run.snapshot).read_text()
    unseen = [draw(number) for number in range(600, 630, 6)]
    text = load_text_encoder(weights_folder(run.base)).encode([CAPTION])[0]
    before, after = (
        np.stack([s.embedding for s in load_eye(folder, device="cpu").look(unseen)]) @ text
        for folder in (weights_folder(run.base), folder_of(run.version.name))
    )
    assert (after > before + 0.02).all()


def test_captions_learn_captions(library: list[Photo]) -> None:
    call_command("train", "captions", chosen=["steps=20", "others=50"])
    run = TrainingRun.objects.get()
    assert run.version
    assert run.figures["loss"] < run.figures["loss before"]
    used = read_snapshot(run.snapshot)
    captioned = {photo.sha256 for photo in library[:10] if not is_held_out(photo.sha256)}
    assert {*used["learned"], *used["judged"]} == captioned
    assert run.corrections == len(captioned)
    seen = load_eye(folder_of(run.version.name), device="cpu").look([draw(600)])
    assert seen[0].caption
    assert Photo.objects.filter(own_caption=CAPTION).count() == 10  # a person's word survives


def learned_by(run: TrainingRun) -> set[str]:
    """The captions that a training would learn from."""
    content = captions.gather(run)
    written = {**content["learned"], **content["judged"]}
    return {text for own in written.values() for text in own}


def test_captions_are_learned_from_who_asked_unless_everybody_agreed(library: list[Photo]) -> None:
    ada, bob = library[0].owner, an_administrator("bob")
    for number in range(12):
        photo = a_drawing(bob, 300 + number)
        write_caption(bob, photo, "A green cross on grey")
    hers = ask("captions", user=ada, why="Mine.", parameters={})
    assert learned_by(hers) == {CAPTION}
    all_of_us = ask("captions", user=ada, why="All.", parameters={"everybody": 1})
    assert learned_by(all_of_us) == {CAPTION, "A green cross on grey"}
    with pytest.raises(TrainingError, match="2 people wrote captions"):
        learned_by(ask("captions", user=None, why="On the command line.", parameters={}, seed=1))


@pytest.mark.parametrize("kind", ["embedding", "captions"])
def test_without_a_caption_there_is_nothing_to_learn(kind: str) -> None:
    a_drawing(a_user(), 0)
    with pytest.raises(CommandError, match="Nobody has written a caption"):
        call_command("train", kind, chosen=["steps=10", "others=50"])
