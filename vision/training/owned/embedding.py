"""Teach the photo side of the joint space what people wrote of photos and did with results.

The text side stands still, so queries mean what they meant. What is learned is one linear map of
the embedding, near to none at all, which is then folded into the head's last layers: the new head
is as large and as fast as the old one. A text must find its photo among others (CLIP, Radford et
al. 2021); what somebody said was not meant must come down; photos of which nobody said anything are
held where they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from vision.errors import TrainingError
from vision.heads.image_head import ImageHead, ImageHeadConfig, ShippedHead
from vision.heads.loading import load_weights
from vision.training.checkpoint import Checkpoint, fingerprint
from vision.training.owned.features import OwnedFeatures, unit
from vision.training.owned.known import carry_known_words
from vision.training.publish import Draft, save_half
from vision.training.steps import Progress, descend, learning_rate, seed_step, silent
from vision.versions import Version

Rows = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Rows]  # of the version's own text side


@dataclass(frozen=True, slots=True)
class EmbeddingRetraining:
    """Settings. `scale` sharpens similarities as the shipped towers' own; `hold` keeps the map
    small, `anchor` keeps photos where they are; an unwanted result is to lose `margin`."""

    steps: int = 200
    batch: int = 128
    peak_rate: float = 2e-3
    scale: float = 22.0
    hold: float = 0.02
    anchor: float = 20.0
    margin: float = 0.1
    seed: int = 0
    save_every: int = 25
    judge_every: int = 10


@dataclass(frozen=True, slots=True)
class Pair:
    """A text and a photo that it is about, or is not (`wanted` False)."""

    text: str
    photo: str
    wanted: bool = True
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class PairLessons:
    """Pairs to learn from and to judge by, and photos of which nobody said anything."""

    pairs: Sequence[Pair]
    judged_by: Sequence[Pair]
    others: Sequence[str]


@dataclass(frozen=True, slots=True)
class Texts:
    """Pairs as numbers: text directions (n, D), their photo's row, whether wanted, weight."""

    directions: Rows
    photo: NDArray[np.int64]
    wanted: NDArray[np.bool_]
    weight: Rows


@dataclass(frozen=True, slots=True)
class Space:
    """Photos as directions (P, D), the last `others` of them without any text."""

    photos: Rows
    others: int
    learned: Texts
    judged: Texts


def teach_embedding(
    base: Version,
    seen: OwnedFeatures,
    encode: Encode,
    lessons: PairLessons,
    draft: Draft,
    config: EmbeddingRetraining,
    *,
    work: Path,
    progress: Progress = silent,
) -> dict[str, float]:
    """Put a taught photo side into the draft; figures of how it learned. Raises TrainingError."""
    spec = base.part("embedding")
    if spec["name"] != "described":
        raise TrainingError(
            f"The embedding of {base.name} cannot be retrained: its text and photo sides are fixed "
            "to one another. Activate a version such as the one that ships."
        )
    if not any(pair.wanted for pair in lessons.pairs):
        raise TrainingError(
            "Nobody has written a caption, or chosen a result, of a photo that may be learned from "
            "yet, so there is nothing to learn. Write some captions first. (A fifth of all photos "
            "is held out.)"
        )
    shipped = ShippedHead(ImageHeadConfig.from_json(spec["config"]))
    shipped = load_weights(shipped, base, spec["file"], device="cpu")
    space = _space(seen, encode, lessons, shipped.config.inner)
    before = judge(space, None)
    turn = retrain_embedding(space, config, work=work, progress=progress)
    fold(turn, shipped.head)
    save_half(shipped, draft.folder / spec["file"])
    photos = sorted({pair.photo for pair in lessons.pairs} | {*lessons.others})
    carry_known_words(base, draft, seen.batches(photos), work=work)
    figures = {f"{name} before": value for name, value in before.items()}
    return {"texts": float(len(lessons.pairs)), **figures, **judge(space, turn)}


def retrain_embedding(
    space: Space, config: EmbeddingRetraining, *, work: Path, progress: Progress = silent
) -> "Turn":
    """The map after all steps; keeps its checkpoint in `work` and goes on from it."""
    turn = Turn(space.photos.shape[1])
    optimizer = torch.optim.Adam(turn.parameters(), lr=config.peak_rate)
    mark = fingerprint(config, space.photos, space.learned.directions, space.learned.photo)
    checkpoint = Checkpoint(work / "embedding.checkpoint", mark)
    modules: dict[str, nn.Module] = {"turn": turn}
    for step in range(checkpoint.resume(modules, optimizer), config.steps):
        figures = {"loss": _step(turn, space, optimizer, step, config)}
        is_last = step + 1 == config.steps
        if (step + 1) % config.judge_every == 0 or is_last:
            told = judge(space, turn)
            figures |= {f"validation {name}": value for name, value in told.items()}
        if (step + 1) % config.save_every == 0 or is_last:
            checkpoint.save(step + 1, modules, optimizer)
        progress(step + 1, config.steps, figures)
    return turn


class Turn(nn.Module):
    """x -> (I + M) x, of unit length; nothing is turned at first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.zeros(width, width))

    def forward(self, photos_BD: Tensor) -> Tensor:
        return functional.normalize(photos_BD + photos_BD @ self.matrix.T, dim=-1)


@torch.no_grad()
def fold(turn: Turn, head: ImageHead) -> None:
    """Let the head's last layers turn by themselves: (I + M)(W x + b) for each of them."""
    whole = torch.eye(len(turn.matrix)) + turn.matrix
    for layer in (head.linear, head.down):
        layer.weight.copy_(whole @ layer.weight)
        layer.bias.copy_(whole @ layer.bias)


@torch.no_grad()
def judge(space: Space, turn: Turn | None) -> dict[str, float]:
    """Of the texts to judge by: how many find their photo among the first ten, and the loss."""
    texts = space.judged
    asked = texts.wanted
    if not asked.any():
        return {}
    photos = torch.from_numpy(space.photos)
    photos = turn(photos) if turn else photos
    scores = torch.from_numpy(texts.directions[asked]) @ photos.T
    own = torch.from_numpy(texts.photo[asked])
    better = (scores > scores.gather(1, own[:, None])).sum(dim=1)
    loss = functional.cross_entropy(22.0 * scores, own).item()
    return {"recall@10": (better < 10).float().mean().item(), "loss": loss}


def _step(
    turn: Turn,
    space: Space,
    optimizer: torch.optim.Optimizer,
    step: int,
    config: EmbeddingRetraining,
) -> float:
    rng = seed_step(config.seed, step)
    rate = learning_rate(step, config.steps, peak=config.peak_rate, warmup=config.steps // 20)
    loss = _found(turn, space, config, rng) + config.anchor * _moved(turn, space, config, rng)
    total = loss + config.hold * turn.matrix.pow(2).sum()
    descend(total, optimizer, rate=rate)
    return loss.item()


def _found(
    turn: Turn, space: Space, config: EmbeddingRetraining, rng: np.random.Generator
) -> Tensor:
    """Texts of a batch must find their photos among those of the batch and as many others."""
    texts = space.learned
    rows = rng.choice(len(texts.photo), min(config.batch, len(texts.photo)), replace=False)
    own, where = np.unique(texts.photo[rows], return_inverse=True)
    crowd = _some_others(space, config.batch, rng)
    photos = turn(torch.from_numpy(space.photos[np.concatenate([own, crowd])]))
    scores = torch.from_numpy(texts.directions[rows]) @ photos.T
    at, wanted = torch.from_numpy(where), torch.from_numpy(texts.wanted[rows])
    each = functional.cross_entropy(config.scale * scores, at, reduction="none")
    before = (texts.directions[rows] * space.photos[texts.photo[rows]]).sum(axis=1)
    mine = scores.gather(1, at[:, None])[:, 0]
    above = mine - (torch.from_numpy(before) - config.margin)
    each = torch.where(wanted, each, functional.softplus(config.scale * above))
    weight = torch.from_numpy(texts.weight[rows])
    return (each * weight).sum() / weight.sum()


def _moved(
    turn: Turn, space: Space, config: EmbeddingRetraining, rng: np.random.Generator
) -> Tensor:
    """How far photos are turned of which nobody said anything."""
    crowd = _some_others(space, config.batch, rng)
    if not len(crowd):
        return torch.zeros(())
    photos = torch.from_numpy(space.photos[crowd])
    return (turn(photos) - photos).pow(2).sum(dim=1).mean()


def _some_others(space: Space, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    first = len(space.photos) - space.others
    chosen = rng.choice(space.others, min(most, space.others), replace=False)
    return (first + chosen).astype(np.int64)


def _space(seen: OwnedFeatures, encode: Encode, lessons: PairLessons, inner: int) -> Space:
    named = sorted({pair.photo for pair in (*lessons.pairs, *lessons.judged_by)})
    photos = [*named, *lessons.others]
    place = {photo: row for row, photo in enumerate(named)}
    found = [features.embeddings for features in seen.batches(photos)]
    directions = unit(np.concatenate([each for each in found if each is not None])[:, :inner])
    texts = [_texts(pairs, encode, place, inner) for pairs in (lessons.pairs, lessons.judged_by)]
    return Space(directions, len(lessons.others), texts[0], texts[1])


def _texts(pairs: Sequence[Pair], encode: Encode, place: dict[str, int], inner: int) -> Texts:
    encoded = encode([pair.text for pair in pairs])
    return Texts(
        unit(encoded[:, :inner]),
        np.array([place[pair.photo] for pair in pairs], np.int64),
        np.array([pair.wanted for pair in pairs], bool),
        np.array([pair.weight for pair in pairs], np.float32),
    )
