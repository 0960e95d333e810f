"""manage.py train: distilling, and choosing the backbone under the heads."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

pytestmark = pytest.mark.django_db


def test_distill_names_the_missing_photos(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There are no photos"):
        call_command("train", "distill", data=tmp_path)


def test_train_names_the_backbones_that_there_are() -> None:
    with pytest.raises(CommandError, match=r"no backbone resnet.*inception-v3"):
        call_command("train", "all", backbone="resnet")


def test_training_on_a_student_that_was_not_distilled_says_what_to_do(tmp_path: Path) -> None:
    for name in ("flickr8k", "coco_wide"):
        (tmp_path / name).mkdir()
    with pytest.raises(CommandError, match="train distill"):
        call_command("train", "all", backbone="inception-v3", data=tmp_path)


@pytest.mark.parametrize("part", ["distill", "tags", "ranker", "embedding"])
def test_several_processes_are_told_what_they_can_share(
    monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(CommandError, match="Several processes together train embedding"):
        call_command("train", part)
