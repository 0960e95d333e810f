"""What a student begins with: the network that ships, able to learn on."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.vision.folders import draw
from vision.backbones import onnx_weights
from vision.backbones.inception import UNIT
from vision.backbones.inception_views import empty_views
from vision.errors import TrainingError
from vision.pixels import squash_batch
from vision.training.distillation import beginning
from vision.training.distillation.beginning import SHIPPED, shipped_network
from vision.versions import open_version


@torch.inference_mode()
def test_the_network_that_ships_sees_the_same_and_can_normalise_by_photos() -> None:
    photos = torch.from_numpy(squash_batch([draw(number) for number in range(12)], 107))
    version = open_version(SHIPPED)
    spec = version.part("backbone")
    ships = onnx_weights.fill(empty_views(spec), version.path(spec["onnx"])).eval()
    wanted = ships.network.maps(UNIT.scale(photos))[1].mean(dim=(2, 3)).numpy()  # type: ignore[operator, union-attr]
    network = shipped_network(photos.split(6))
    seen = network.maps(UNIT.scale(photos))[1].mean(dim=(2, 3)).numpy()
    assert seen == pytest.approx(wanted, abs=1e-3)
    network.train()
    learning = network.maps(UNIT.scale(photos))[1].mean(dim=(2, 3)).numpy()
    assert np.corrcoef(learning.ravel(), wanted.ravel())[0, 1] > 0.98


def test_without_the_version_that_ships_and_without_npm_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beginning, "SHIPPED", tmp_path)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(TrainingError, match=r"npm could not fetch nsfwjs.*Unpack that package in"):
        beginning.beginning([], tmp_path, seed=0)
