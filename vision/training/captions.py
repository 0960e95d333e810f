"""Train the caption decoder on cached grids with cross-entropy.

Collections describe in different manners, so each has a start token of its own: the decoder learns
what is in photos from all of them, and writes in the manner it is asked for.
"""

import copy
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn, optim
from torch.nn import functional

from vision.collection import Collection
from vision.heads.captions import (
    END,
    SPECIAL,
    START_COCO_WIDE,
    START_FLICKR8K,
    UNKNOWN,
    CaptionConfig,
    CaptionDecoder,
)
from vision.training.checkpoint import (
    Checkpoint,
    Progress,
    fingerprint,
    learning_rate,
    seed_step,
    silent,
    update_average,
)
from vision.training.features import FeatureCache
from vision.words import words_of

logger = logging.getLogger(__name__)

START = {"flickr8k": START_FLICKR8K, "coco_wide": START_COCO_WIDE}
MAX_WORDS = 20
NO_WORD = -100  # what cross_entropy ignores


@dataclass(frozen=True, slots=True)
class CaptionTraining:
    """Settings of one training. `shares` says how often a batch comes from each collection."""

    checkpoint: Path
    shares: tuple[float, ...] = (0.6, 0.4)
    steps: int = 3000
    batch: int = 128
    peak_rate: float = 1e-3
    warmup: int = 100
    weight_decay: float = 0.01
    dropout: float = 0.4
    label_smoothing: float = 0.1
    average_decay: float = 0.998
    fewest_uses: int = 4
    seed: int = 0
    save_every: int = 200


@dataclass(frozen=True, slots=True)
class CaptionedGrids:
    """Photos of one collection, as the decoder sees them, with their captions in numbers."""

    start: int
    grids: list[NDArray[np.float16]]  # each view (photos, 9, 9, 352), may be memory-mapped
    pooled: list[NDArray[np.float16]]  # each view (photos, 1280)
    captions: list[NDArray[np.int64]]  # of each photo (captions, MAX_WORDS + 1), END and padding

    def draw(self, count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Grids (B, N, C), pooled features (B, P) and one caption each (B, T)."""
        photos = np.sort(rng.choice(len(self.captions), min(count, len(self.captions)), False))
        view = int(rng.integers(len(self.grids)))
        captions = np.stack([self.captions[p][rng.integers(len(self.captions[p]))] for p in photos])
        longest = int((captions != NO_WORD).sum(axis=1).max())
        grid = torch.from_numpy(self.grids[view][photos]).float().flatten(1, 2)
        pooled = torch.from_numpy(self.pooled[view][photos]).float()
        return grid, pooled, torch.from_numpy(captions[:, :longest])


def build_vocabulary(captions: Iterable[str], *, fewest_uses: int) -> list[str]:
    """Special tokens, then words used often enough, most frequent first."""
    counts = Counter(word for caption in captions for word in words_of(caption))
    kept = [word for word, uses in counts.items() if uses >= fewest_uses]
    return [*SPECIAL, *sorted(kept, key=lambda word: (-counts[word], word))]


def load_captioned_grids(
    cache: FeatureCache,
    collection: Collection,
    split: str,
    *,
    vocabulary: Sequence[str],
    views: Sequence[str],
) -> CaptionedGrids:
    """Cached grids of a split and its captions."""
    number_of = {word: number for number, word in enumerate(vocabulary)}
    captions = collection.captions(split)
    return CaptionedGrids(
        start=START.get(collection.name, START_FLICKR8K),
        grids=[cache.load(collection, split, "grid", view) for view in views],
        pooled=[cache.load(collection, split, "pooled", view) for view in views],
        captions=[
            np.stack([_numbers(text, number_of) for text in captions[name]])
            for name in cache.names(collection, split)
        ],
    )


def train_captions(
    data: Sequence[CaptionedGrids],
    network: CaptionConfig,
    config: CaptionTraining,
    *,
    progress: Progress = silent,
) -> CaptionDecoder:
    """The averaged weights after `config.steps`."""
    torch.manual_seed(config.seed)
    model = CaptionDecoder(network, dropout=config.dropout)
    average = copy.deepcopy(model)
    optimizer = optim.AdamW(
        model.parameters(), lr=config.peak_rate, weight_decay=config.weight_decay
    )
    captions = [np.concatenate(each.captions) for each in data]
    checkpoint = Checkpoint(config.checkpoint, fingerprint(config, *captions))
    modules: dict[str, nn.Module] = {"model": model, "average": average}
    for step in range(checkpoint.resume(modules, optimizer), config.steps):
        loss = _train_step(model, data, config, optimizer, step)
        update_average(average, model, decay=config.average_decay, step=step)
        if (step + 1) % config.save_every == 0 or step + 1 == config.steps:
            checkpoint.save(step + 1, modules, optimizer)
            logger.info("captions step=%d loss=%.4f", step + 1, loss)
        progress(step + 1, config.steps, {"loss": loss})
    return average.eval()


def caption_loss(
    model: CaptionDecoder, batch: tuple[Tensor, Tensor, Tensor], *, start: int, smoothing: float
) -> Tensor:
    """Mean cross-entropy of each word given the words before it."""
    grid_BNC, pooled_BP, words_BT = batch
    first_B1 = torch.full((len(words_BT), 1), start)
    before_BT = torch.cat([first_B1, words_BT[:, :-1].clamp(min=END)], dim=1)
    logits_BTV, _ = model.step(before_BT, *model.look(grid_BNC, pooled_BP))
    return functional.cross_entropy(
        logits_BTV.flatten(0, 1),
        words_BT.flatten(),
        ignore_index=NO_WORD,
        label_smoothing=smoothing,
    )


def _train_step(
    model: CaptionDecoder,
    data: Sequence[CaptionedGrids],
    config: CaptionTraining,
    optimizer: optim.Optimizer,
    step: int,
) -> float:
    rng = seed_step(config.seed, step)
    chosen = data[int(rng.choice(len(data), p=np.array(config.shares) / sum(config.shares)))]
    rate = learning_rate(step, config.steps, peak=config.peak_rate, warmup=config.warmup)
    for group in optimizer.param_groups:
        group["lr"] = rate
    model.train()
    batch = chosen.draw(config.batch, rng)
    loss = caption_loss(model, batch, start=chosen.start, smoothing=config.label_smoothing)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def _numbers(caption: str, number_of: dict[str, int]) -> NDArray[np.int64]:
    words = [number_of.get(word, UNKNOWN) for word in words_of(caption)][:MAX_WORDS]
    numbers = np.full(MAX_WORDS + 1, NO_WORD)
    numbers[: len(words) + 1] = [*words, END]
    return numbers
