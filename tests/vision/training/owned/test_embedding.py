"""Teaching the photo side: texts find their photos, unwanted results come down, the rest stays."""

from pathlib import Path

import numpy as np
import pytest
import torch

from vision.heads.image_head import ImageHead, ImageHeadConfig
from vision.training.owned.embedding import (
    EmbeddingRetraining,
    Space,
    Texts,
    Turn,
    fold,
    judge,
    retrain_embedding,
)
from vision.training.owned.features import unit
from vision.training.steps import Progress

WIDTH = 24
CONFIG = EmbeddingRetraining(steps=100, batch=32, save_every=7, peak_rate=5e-3)


def directions(count: int, seed: int) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(count, WIDTH)).astype(np.float32))


def near(centre: np.ndarray, count: int, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(scale=0.1, size=(count, WIDTH))
    return unit((centre + noise).astype(np.float32))


def texts(rows: np.ndarray, photo: list[int], *, wanted: bool = True) -> Texts:
    count = len(photo)
    return Texts(rows, np.array(photo), np.full(count, wanted), np.ones(count, np.float32))


def a_space() -> tuple[Space, np.ndarray, np.ndarray]:
    """Photos of a boat that people call by a name that the space puts elsewhere."""
    boat = directions(1, 1)
    name = unit(directions(1, 2) - 0.5 * boat)
    photos = np.concatenate([near(boat, 10, 3), directions(200, 4)])
    learned = texts(near(name, 8, 5), list(range(8)))
    judged = texts(near(name, 2, 6), [8, 9])
    return Space(photos, 200, learned, judged), boat, name


def test_words_that_people_use_find_photos_like_those_they_wrote_of(tmp_path: Path) -> None:
    space, boat, name = a_space()
    before = judge(space, None)
    turn = retrain_embedding(space, CONFIG, work=tmp_path)
    after = judge(space, turn)
    assert after["loss"] < before["loss"]
    assert (before["recall@10"], after["recall@10"]) == (0.0, 1.0)
    unseen = torch.from_numpy(near(boat, 10, 9))
    gained = turn(unseen) @ torch.from_numpy(name[0]) - unseen @ torch.from_numpy(name[0])
    assert gained.min() > 0.2


def test_photos_that_nobody_wrote_of_stay_nearly_where_they_are(tmp_path: Path) -> None:
    space, _, _ = a_space()
    turn = retrain_embedding(space, CONFIG, work=tmp_path)
    unseen = torch.from_numpy(directions(50, 11))
    assert (turn(unseen) * unseen).sum(dim=1).mean() > 0.97


def test_what_was_not_meant_comes_down(tmp_path: Path) -> None:
    query = directions(1, 1)
    photos = np.concatenate([near(query, 6, 2), directions(100, 3)])
    space = Space(photos, 100, texts(near(query, 5, 4), list(range(5)), wanted=False),
                  texts(query[:0], []))  # fmt: skip
    turn = retrain_embedding(space, CONFIG, work=tmp_path)
    alike = torch.from_numpy(photos[5:6])
    lost = (alike - turn(alike)) @ torch.from_numpy(query[0])
    assert lost.item() > 0.02
    assert judge(space, turn) == {}


def test_interrupted_it_ends_with_the_same_weights(tmp_path: Path) -> None:
    space, _, _ = a_space()
    whole = retrain_embedding(space, CONFIG, work=tmp_path / "whole")

    for last in (10, 33, 71):
        with pytest.raises(InterruptedError):
            retrain_embedding(space, CONFIG, work=tmp_path / "parts", progress=_until(last))
    seen: list[int] = []
    rest = retrain_embedding(
        space, CONFIG, work=tmp_path / "parts", progress=lambda done, *_: seen.append(done)
    )
    assert seen[0] > 60
    assert torch.equal(whole.matrix, rest.matrix)


def _until(last: int) -> Progress:
    def stop(done: int, total: int, figures: dict[str, float]) -> None:
        if done == last:
            raise InterruptedError

    return stop


def test_folded_into_the_head_the_map_costs_nothing() -> None:
    torch.manual_seed(0)
    config = ImageHeadConfig(
        pooled=6, stride16=2, grid=3, classes=4, name=3, hidden=5, embed_dim=9, squeezed=4, bank=3,
        hub_weight=0.5,
    )  # fmt: skip
    head = ImageHead(config).eval()
    turn = Turn(config.inner)
    torch.nn.init.normal_(turn.matrix, std=0.2)
    described = torch.randn(7, config.described)
    inner = torch.nn.functional.normalize(head.before_norm(described), dim=-1)
    wanted = turn(inner)
    fold(turn, head)
    found = torch.nn.functional.normalize(head.before_norm(described), dim=-1)
    assert torch.allclose(found, wanted, atol=1e-5)
    assert torch.allclose(head(described).norm(dim=1), torch.ones(7), atol=1e-5)
