"""Small trainings and their loss curves, of one process or of several.

`torchrun … -m tests.vision.training.distributed.curves WORK` writes what the first process was told
to WORK/curves.json. It goes on with a tower in "WORK/begun alone", and leaves one half done.
"""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.vision import spaces
from vision.heads.polyglot import PolyglotConfig
from vision.training.captions.data import Sentences as Phrases
from vision.training.captions.data import Views, Vocabulary, make_task
from vision.training.captions.decoder import CaptionTraining, Lessons, train_captions
from vision.training.distributed.world import current_world, joined
from vision.training.embedding.bilingual import BilingualTraining, Sentences, train_bilingual
from vision.training.embedding.image_head import ImageHeadTraining, fit_image_head
from vision.training.embedding.towers import Lesson, TowerTraining, contrastive, train_tower

Curves = dict[str, list[float]]

STOP = 8  # steps after which a tower is left

# Without dropout, whose noise is another in every process.
TOWER = TowerTraining(
    steps=12,
    batch=31,  # which two processes cannot share evenly
    warmup=2,
    save_every=4,
    peak_rate=5e-3,
    image_dropout=0.0,
    image_hidden_dropout=0.0,
    text_dropout=0.0,
    text_hidden=16,
)
HEAD = ImageHeadTraining(
    steps=12, batch=31, warmup=2, peak_rate=5e-3, dropout=0.0, hidden_dropout=0.0
)
CAPTIONS = CaptionTraining(
    language_steps=4,
    language_batch=7,
    photo_steps=5,
    batch=14,
    captions_a_photo=2,
    lean_steps=2,
    reward_steps=1,
    rewarded=("drawn.en", "drawn.de"),
    reward_photos=5,
    samples=2,
    dropout=0.0,
    fewest_uses=1,
    warmup=2,
    bfloat16=False,
)
GERMAN = BilingualTraining(steps=12, batch=13, warmup=2, peak_rate=0.02, word_rate=0.02)
DECODER = PolyglotConfig(
    {"en": 24, "de": 24}, grid=6, cells=4, pooled=5, stride16=3, classes=10,
    word=12, hidden=16, summary=12, attention=8, heads=2,
)  # fmt: skip


class Told:
    """A progress callback that keeps losses and may pull the plug."""

    def __init__(self, *, stop_after: int | None = None) -> None:
        self.losses: list[float] = []
        self.stop_after = stop_after

    def __call__(self, done: int, total: int, figures: dict[str, float]) -> None:
        self.losses.append(figures["loss"])
        if done == self.stop_after:
            raise KeyboardInterrupt


def tower(work: Path, *, stop_after: int | None = None) -> list[float]:
    """The losses of its steps; going on from a checkpoint, of those that were left."""
    told, stream = Told(stop_after=stop_after), spaces.captioned()
    with suppress(KeyboardInterrupt):
        train_tower(
            [Lesson(stream, 0.6), Lesson(spaces.named(), 0.4)],
            spaces.CONFIG,
            TOWER,
            photos=[stream.photos],
            text=spaces.TEXT,
            work=work,
            progress=told,
        )
    return told.losses


def head(work: Path) -> list[float]:
    told, views = Told(), spaces.photos().views
    fit_image_head(views, targets(), spaces.CONFIG, HEAD, work=work, progress=told)
    return told.losses


def captions(work: Path) -> list[float]:
    """The last step says sentences, which each process draws for its photos by itself."""
    told = Told()
    train_captions(lessons(), DECODER, CAPTIONS, work=work, progress=told)
    return told.losses


class Side(nn.Module):
    """A text side that adds up its words."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Module()
        self.words.added = nn.Parameter(torch.randn(20, 8))
        self.tower = nn.Linear(8, 16)

    def forward(self, ids_BT: Tensor, mask_BT: Tensor) -> Tensor:
        return self.tower((self.words.added[ids_BT] * mask_BT[..., None]).sum(dim=1))


def bilingual(work: Path) -> list[float]:
    told, rng = Told(), np.random.default_rng(2)
    torch.manual_seed(2)
    german, english = (
        Sentences(
            [rng.integers(20, size=rng.integers(1, 6)).tolist() for _ in range(30)],
            functional.normalize(torch.randn(30, 16)).numpy(),
            np.ones(30),
        )
        for _ in range(2)
    )
    train_bilingual(Side(), german, english, GERMAN, work=work, progress=told)
    return told.losses


def contrast_gradient() -> list[float]:
    """Of two linear maps and a scale, contrasting seven rows, in float32."""
    world, mixed = current_world(), torch.Generator().manual_seed(0)
    photos, texts = (torch.randn(7, width, generator=mixed) for width in (5, 3))
    maps = nn.ModuleList([nn.Linear(5, 4), nn.Linear(3, 4)])
    maps.scale = nn.Parameter(torch.tensor(2.0))
    for weight in maps.parameters():
        weight.data = torch.randn(weight.shape, generator=mixed)

    def loss(photos: Tensor, texts: Tensor) -> Tensor:
        own = world.part(7)
        images_BD, texts_BD = (
            world.gathered(each(rows[own]), 7)
            for each, rows in zip(maps, (photos, texts), strict=True)
        )
        return contrastive(maps.scale * images_BD @ texts_BD.T, torch.eye(7, dtype=torch.bool))

    loss_of = world.together(maps, loss)
    loss_of(photos, texts).backward()
    return torch.cat([weight.grad.flatten() for weight in maps.parameters()]).tolist()


def targets() -> np.ndarray:
    """Embeddings that follow from what the photos share."""
    mix = np.random.default_rng(3).normal(size=(spaces.CAUSES, spaces.CONFIG.embed_dim))
    wanted = spaces.causes() @ mix
    return (wanted / np.linalg.norm(wanted, axis=1, keepdims=True)).astype(np.float32)


def lessons() -> Lessons:
    """Photos of noise with sentences of varied length in two languages."""
    rng = np.random.default_rng(5)
    names = [f"{number}.jpg" for number in range(20)]
    views = Views(
        names,
        [rng.normal(size=(20, DECODER.cells, DECODER.grid)).astype(np.float16)],
        [rng.normal(size=(20, 18)).astype(np.float16)],
        rng.normal(size=(20, DECODER.classes)).astype(np.float16),
    )
    words = Vocabulary([f"w{'abcdefghijklmnopqrstuvwxyz'[number]}" for number in range(24)])

    def say() -> str:
        return " ".join(rng.choice(words.words[4:], rng.integers(2, 9)))

    tasks = [
        make_task("drawn", code, {name: [say(), say()] for name in names}, views, words)
        for code in DECODER.vocabularies
    ]
    numbers = np.stack([words.numbers(say()) for _ in range(30)]).astype(np.int16)
    return Lessons([Phrases("en", numbers)], tasks)


def main(work: Path) -> None:
    with joined() as world:
        curves = {
            "tower": tower(work / "whole"),
            "head": head(work / "whole"),
            "captions": captions(work / "whole"),
            "bilingual": bilingual(work / "whole"),
            "gradient": contrast_gradient(),
            "resumed": tower(work / "begun alone"),
            "begun": tower(work / "begun by two", stop_after=STOP),
        }
        if world.is_first:
            (work / "curves.json").write_text(json.dumps(curves), encoding="utf-8")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
    # Seen once: torch's own threads abort a process that ends by itself, after all was written.
    os._exit(0)
