"""A backbone joins the space of the version that ships, by photos alone."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.vision.folders import draw, write_collection
from vision.eye import load_eye
from vision.heat import load_heat_mapper
from vision.text_encoder import load_text_encoder
from vision.training.embedding.image_head import ImageHeadTraining
from vision.training.embedding.joining import join_space
from vision.training.embedding.tracing import linear_map
from vision.training.publish import Draft
from vision.training.workshop import Workshop, look_at_photos
from vision.versions import open_version

QUICK = ImageHeadTraining(
    steps=150,
    batch=12,
    warmup=3,
    peak_rate=4e-3,
    weight_decay=0.0,
    hidden=16,
    dropout=0.0,
    hidden_dropout=0.0,
    average_decay=0.9,
)


def test_a_backbone_joins_the_space_of_the_version_that_ships(tmp_path: Path) -> None:
    write_collection(tmp_path / "data" / "shapes")
    shop = Workshop(tmp_path / "data", tmp_path / "work" / "other", collections=("shapes",))
    base = open_version()
    shop.draft.mkdir(parents=True)
    shutil.copyfile(base.path(base.part("backbone")["onnx"]), shop.backbone)
    look_at_photos(shop)
    draft = Draft.start("joined", shop.draft, base=base)
    draft.parts |= join_space(shop, base, QUICK)
    folder = draft.publish(tmp_path / "joined", metrics={}, card="")

    photos = [draw(number) for number in range(12)]
    ours = np.stack([sight.embedding for sight in load_eye(folder, device="cpu").look(photos)])
    theirs = np.stack(
        [sight.embedding for sight in load_eye(base.folder, device="cpu").look(photos)]
    )
    assert (ours * theirs).sum(axis=1).mean() > 0.8
    text = "a red circle"
    assert load_text_encoder(folder).encode([text]) == pytest.approx(
        load_text_encoder().encode([text])
    ), "a query means the same to both"
    heat = load_heat_mapper(folder).map(photos[0], load_text_encoder(folder).encode([text])[0])
    assert heat.max() == 1.0


def test_a_linear_map_is_found_exactly() -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(200, 5)).astype(np.float32), rng.normal(size=(3, 5))
    found, bias = linear_map(x, (x @ weight.T + 2).astype(np.float32))
    assert found == pytest.approx(weight, abs=0.02)
    assert bias == pytest.approx(np.full(3, 2.0), abs=0.02)
