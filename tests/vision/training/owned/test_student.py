"""A student on the owner's photos: what is kept of them, and from whom it can learn."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.vision.folders import draw, write_version
from tests.vision.training.distillation.test_distill import Tiny
from vision.errors import TrainingError
from vision.sight import Image
from vision.training.backbone import export_fp32
from vision.training.distillation.photos import KEPT_SIZE
from vision.training.owned.student import StudentLessons, keep_photos, plan, teach_student
from vision.training.publish import Draft
from vision.versions import open_version


def load(photos: Sequence[str]) -> list[Image | None]:
    return [None if photo == "broken" else draw(int(photo)) for photo in photos]


def silent(*_: object) -> None:
    """Nobody listens."""


def test_photos_are_kept_once_and_broken_ones_left_out(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    (tmp_path / "kept.partial").write_bytes(b"half")
    kept = keep_photos(
        ["1", "broken", "2"], load, tmp_path / "kept", told=lambda *n: told.append(n)
    )
    assert kept.shape == (2, KEPT_SIZE, KEPT_SIZE, 3)
    assert told == [(0, 3)]
    again = keep_photos(["3"], load, tmp_path / "kept", told=silent)
    assert np.array_equal(again, kept)
    with pytest.raises(TrainingError, match="None of the photos can be read"):
        keep_photos(["broken"], load, tmp_path / "none", told=silent)


def test_a_short_training_still_warms_up_saves_and_judges() -> None:
    config = plan(steps=2, batch=8, seed=0, photos=20)
    assert (config.warmup, config.save_every, config.judge_every) == (1, 1, 1)
    assert config.begin_with == 20


def test_a_backbone_of_another_kind_is_no_teacher(tmp_path: Path) -> None:
    export_fp32(Tiny().eval(), size=32, to=tmp_path / "tiny.onnx")
    spec = {"name": "inception-v3", "onnx": "tiny.onnx", "input_size": 32}
    write_version(
        tmp_path / "other", {"tiny.onnx": (tmp_path / "tiny.onnx").read_bytes()}, {"backbone": spec}
    )
    base, work = open_version(tmp_path / "other"), tmp_path / "work"
    with pytest.raises(TrainingError, match=r"learns from backbones like EfficientNet-Lite2"):
        teach_student(
            base,
            StudentLessons(["1", "2"], ["3"], load),
            Draft.start("student", work / "draft", base=base),
            steps=2,
            batch=8,
            seed=0,
            work=work,
            told=silent,
            progress=silent,
        )
    assert not (work / "photos").exists()
