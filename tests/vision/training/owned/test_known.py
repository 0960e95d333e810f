"""Known words mean in a taught embedding what they meant before."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from tests.vision.folders import draw
from vision.eye import load_eye
from vision.training.owned.features import OwnedFeatures, unit
from vision.training.owned.known import carried, carry_known_words
from vision.training.publish import Draft
from vision.versions import open_version
from webapp.find.query.embedding import read_known_words


def test_moved_lines_say_of_unseen_photos_what_the_old_ones_said() -> None:
    rng = np.random.default_rng(0)
    turn = np.eye(32) + rng.normal(scale=0.1, size=(32, 32))
    lines = rng.normal(scale=5, size=(7, 32)).astype(np.float32)
    old = unit(rng.normal(size=(600, 32)).astype(np.float32))
    new = unit((old @ turn.T).astype(np.float32))
    moved = carried(lines, old[:500], new[:500])
    wanted = old[500:] @ lines.T
    left_alone = np.abs(new[500:] @ lines.T - wanted).mean()
    assert np.abs(new[500:] @ moved.T - wanted).mean() < 0.35 * left_alone


def test_of_few_photos_lines_hardly_move() -> None:
    rng = np.random.default_rng(1)
    lines = rng.normal(size=(3, 32)).astype(np.float32)
    old = unit(rng.normal(size=(2, 32)).astype(np.float32))
    assert np.abs(carried(lines, old, old) - lines).max() < 1e-4


def test_a_version_with_a_taught_embedding_keeps_its_known_words(tmp_path: Path) -> None:
    base, eye = open_version(), load_eye(device="cpu")
    seen = OwnedFeatures.of(base, eye, tmp_path / "features")
    photos = {f"{seed:064x}": draw(seed) for seed in range(12)}
    seen.look(list(photos), lambda names: [photos[name] for name in names], told=lambda *_: None)
    draft = Draft.start("taught", tmp_path / "draft", base=base)
    file = draft.folder / base.part("embedding")["file"]
    weights = load_file(file)
    with torch.no_grad():
        weights["head.linear.weight"] *= 1.05
    save_file(weights, file)
    error = carry_known_words(base, draft, seen.batches(list(photos)), work=tmp_path)
    assert error is not None
    taught = open_version(draft.publish(tmp_path / "taught", metrics={}, card=""))
    assert len(read_known_words(taught).biases) == len(read_known_words(base).biases) > 100
