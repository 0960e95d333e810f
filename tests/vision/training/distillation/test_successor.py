"""A student under its teacher's heads: maps that are kept, a speaker in closed form."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.vision.folders import draw
from vision.backbones.inception import UNIT, InceptionV3
from vision.backbones.inception_views import SpeakerConfig, empty_views
from vision.pixels import squash_batch
from vision.training.distillation.photos import KEPT_SIZE
from vision.training.distillation.speaking import Seen, fit_speaker
from vision.training.distillation.student import Student
from vision.training.distillation.trunk import Trunk, keep_maps
from vision.training.networks import NETWORKS

CONFIG = SpeakerConfig(rank=16, pooled=20, stride16=6, logits=10)


def _seen(rng: np.random.Generator) -> Seen:
    """A teacher that is linear in twelve directions of what the student sees."""
    directions = rng.normal(size=(2816, 12)) @ rng.normal(size=(12, 36))
    student = rng.normal(size=(300, 2816)).astype(np.float32)
    student[:, 200:] = 0  # fewer numbers than photos, or nothing could be learned
    said = (student @ directions).astype(np.float32)
    mean, deviation = said.mean(axis=0), said.std(axis=0)
    return Seen(student, (said - mean) / deviation, mean, deviation)


def test_a_speaker_says_in_closed_form_what_the_teacher_says() -> None:
    seen = _seen(np.random.default_rng(0))
    speaker, figures = fit_speaker(seen, CONFIG)
    assert figures["explained_by_rank"] > 0.95
    with torch.inference_mode():
        features = torch.from_numpy(seen.student)
        said = torch.cat(speaker(features[:, :2048], features[:, 2048:]), dim=1).numpy()
    wanted = seen.teacher * seen.deviation + seen.mean
    assert np.corrcoef(said.ravel(), wanted.ravel())[0, 1] > 0.98
    assert said.mean() == pytest.approx(wanted.mean(), abs=0.5)


def test_a_narrow_speaker_says_less() -> None:
    seen = _seen(np.random.default_rng(1))
    narrow = SpeakerConfig(rank=4, pooled=20, stride16=6, logits=10)
    _, figures = fit_speaker(seen, narrow)
    assert figures["explained_by_rank"] < figures["explained"] - 0.1


def test_with_a_speaker_the_views_are_the_teachers() -> None:
    spec = NETWORKS["inception-v3"]().spec | {"speaker": {"rank": 192}}
    views = empty_views(spec).eval()
    assert "speaker.down.weight" in views.state_dict()
    with torch.inference_mode():
        parts = views(torch.zeros(1, 75, 75, 3, dtype=torch.uint8))
    assert [tuple(part.shape[1:]) for part in parts] == [(1280,), (120,), (9, 9, 352), (1000,)]


def test_kept_maps_are_what_the_frozen_stages_see(tmp_path: Path) -> None:
    torch.manual_seed(0)
    until, network = "Conv2d_4a_3x3", InceptionV3().eval()
    photos = squash_batch([draw(number) for number in range(6)], KEPT_SIZE)
    rows = np.array([1, 2, 5])
    maps = keep_maps(Trunk(network, UNIT, until), photos, rows, size=91, to=tmp_path)
    drawn = maps.draw(2, seed=[0])
    assert set(drawn.rows) <= set(rows)
    pixels = torch.from_numpy(drawn.cut(photos, 91))  # odd rows are mirrored
    with torch.inference_mode():
        exact = Trunk(network, UNIT, until)(pixels).numpy()
        kept = maps.maps(drawn)
        student = Student(network, UNIT).eval()
        short, _ = student(torch.from_numpy(exact), learn_from=until, kept=True)
        whole, _ = student(pixels, learn_from=until)
    assert np.corrcoef(kept.ravel(), exact.ravel())[0, 1] > 0.97
    assert short.pooled == pytest.approx(whole.pooled, abs=1e-4)
    again = keep_maps(Trunk(network, UNIT, until), photos, rows, size=91, to=tmp_path)
    assert [path.stat().st_mtime_ns for path in again.portions] == [
        path.stat().st_mtime_ns for path in maps.portions
    ]
