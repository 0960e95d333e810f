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
    """Settings of one training. `shares` says how often a batch comes from each collection.

    It ends with steps that lean to the collection in whose manner the product writes.
    """

    shares: tuple[float, ...] = (0.6, 0.4)
    steps: int = 3000
    last_shares: tuple[float, ...] = (0.85, 0.15)
    last_steps: int = 800
    last_rate: float = 5e-4
    batch: int = 96  # captions; a photo lends up to `captions_a_photo` of them
    captions_a_photo: int = 3
    peak_rate: float = 1e-3
    warmup: int = 100
    weight_decay: float = 0.01
    dropout: float = 0.4
    label_smoothing: float = 0.1
    average_decay: float = 0.998
    fewest_uses: int = 4
    seed: int = 0
    save_every: int = 200
    bfloat16: bool = True  # a third faster where the processor has it; the sums stay in float32


@dataclass(frozen=True, slots=True)
class CaptionedGrids:
    """Photos of one collection, as the decoder sees them, with their captions in numbers."""

    start: int
    grids: list[NDArray[np.float16]]  # each view (photos, 9, 9, 352), may be memory-mapped
    pooled: list[NDArray[np.float16]]  # each view (photos, 1280)
    captions: list[NDArray[np.int64]]  # of each photo (captions, MAX_WORDS + 1), END and padding

    def draw(
        self, count: int, most_a_photo: int, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """`count` captions: grids (P, N, C), pooled features (P, F) and words (P, K, T)."""
        each = min(most_a_photo, min(len(own) for own in self.captions))
        photos = np.sort(rng.choice(len(self.captions), _at_most(count // each, self), False))
        captions = np.stack([rng.choice(self.captions[photo], each, False) for photo in photos])
        longest = int((captions != NO_WORD).sum(axis=-1).max())
        view = int(rng.integers(len(self.grids)))
        grid = torch.from_numpy(self.grids[view][photos]).float().flatten(1, 2)
        pooled = torch.from_numpy(self.pooled[view][photos]).float()
        return grid, pooled, torch.from_numpy(captions[..., :longest])


def _at_most(count: int, data: CaptionedGrids) -> int:
    return max(1, min(count, len(data.captions)))


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
    work: Path,
    progress: Progress = silent,
) -> CaptionDecoder:
    """The averaged weights after all steps; the checkpoint is in `work`."""
    torch.manual_seed(config.seed)
    model = CaptionDecoder(network, dropout=config.dropout)
    average = copy.deepcopy(model)
    optimizer = optim.AdamW(
        model.parameters(), lr=config.peak_rate, weight_decay=config.weight_decay
    )
    captions = [np.concatenate(each.captions) for each in data]
    checkpoint = Checkpoint(work / "captions.checkpoint", fingerprint(config, *captions))
    modules: dict[str, nn.Module] = {"model": model, "average": average}
    total = config.steps + config.last_steps
    for step in range(checkpoint.resume(modules, optimizer), total):
        loss = _train_step(model, data, config, optimizer, step)
        update_average(average, model, decay=config.average_decay, step=step)
        if (step + 1) % config.save_every == 0 or step + 1 == total:
            checkpoint.save(step + 1, modules, optimizer)
            logger.info("captions step=%d loss=%.4f", step + 1, loss)
        progress(step + 1, total, {"loss": loss})
    return average.eval()


def caption_loss(
    model: CaptionDecoder, batch: tuple[Tensor, Tensor, Tensor], *, start: int, smoothing: float
) -> Tensor:
    """Mean cross-entropy of each word given the words before it."""
    grid_PNC, pooled_PF, words_PKT = batch
    each = words_PKT.shape[1]
    words_BT = words_PKT.flatten(0, 1)
    first_B1 = torch.full((len(words_BT), 1), start)
    before_BT = torch.cat([first_B1, words_BT[:, :-1].clamp(min=END)], dim=1)
    keys, values, (hidden, cell) = model.look(grid_PNC, pooled_PF)
    state = (hidden.repeat_interleave(each, dim=1), cell.repeat_interleave(each, dim=1))
    logits_BTV, _ = model.step(before_BT, keys, values, state)
    return functional.cross_entropy(
        logits_BTV.float().flatten(0, 1),
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
    shares, rate = _schedule(config, step)
    chosen = data[int(rng.choice(len(data), p=np.array(shares) / sum(shares)))]
    for group in optimizer.param_groups:
        group["lr"] = rate
    model.train()
    batch = chosen.draw(config.batch, config.captions_a_photo, rng)
    with torch.autocast("cpu", torch.bfloat16, enabled=config.bfloat16):
        loss = caption_loss(model, batch, start=chosen.start, smoothing=config.label_smoothing)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def _schedule(config: CaptionTraining, step: int) -> tuple[tuple[float, ...], float]:
    """Shares of the collections and learning rate at a step."""
    warmup = config.warmup
    if step < config.steps:
        rate = learning_rate(step, config.steps, peak=config.peak_rate, warmup=warmup)
        return config.shares, rate
    late = step - config.steps
    rate = learning_rate(late, config.last_steps, peak=config.last_rate, warmup=warmup)
    return config.last_shares, rate


def _numbers(caption: str, number_of: dict[str, int]) -> NDArray[np.int64]:
    words = [number_of.get(word, UNKNOWN) for word in words_of(caption)][:MAX_WORDS]
    numbers = np.full(MAX_WORDS + 1, NO_WORD)
    numbers[: len(words) + 1] = [*words, END]
    return numbers
