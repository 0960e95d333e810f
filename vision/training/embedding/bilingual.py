"""Teach the text side German: a German sentence learns to lie where its English twin lies.

The network starts as the English one, with words of German in its vocabulary
(`vision.training.embedding.german`). Everything but the English word embeddings learns; English
sentences take part with their own embeddings as targets, so that what was good stays. There is one
encoder for both languages and nothing has to guess which one a query is in.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn, optim
from torch.nn import functional

from vision.training.checkpoint import Checkpoint, fingerprint
from vision.training.distributed.world import current_world
from vision.training.embedding.german import GermanWords
from vision.training.embedding.sentences import MAX_TOKENS, TextSide
from vision.training.steps import Progress, learning_rate, seed_step, silent

logger = logging.getLogger(__name__)


ADDED = "words.added"  # the German words among the parameters
GROUPS = 4  # of like length, in a batch


@dataclass(frozen=True, slots=True)
class BilingualTraining:
    """Settings. `english` is the share of English sentences in a batch.

    `kept` is the share of the English weights in the end: the mean of a network before and after
    its fine-tuning forgets less and knows as much (Wortsman et al. 2022, arXiv:2109.01903). On
    Flickr8k dev, int8, 0 and 0.15: English recall@1/5/10 29.8/60.2/72.96 and 30.1/60.7/73.08,
    German (every second sentence) recall@10 66.5 and 66.5.
    """

    steps: int = 400
    batch: int = 64
    english: float = 0.25
    peak_rate: float = 1e-4
    word_rate: float = 3e-4
    warmup: int = 60
    weight_decay: float = 0.01
    scale: float = 20.0
    seed: int = 0
    save_every: int = 50
    kept: float = 0.15
    words: GermanWords = field(default_factory=GermanWords)


@dataclass(frozen=True, slots=True)
class Sentences:
    """Tokens of sentences and the embedding (dim,) that each should have; row by row."""

    tokens: Sequence[Sequence[int]]
    targets: NDArray[np.float32]
    weights: NDArray[np.float64]  # how often each is drawn, relatively

    def draw(self, count: int, rng: np.random.Generator) -> tuple[list[Sequence[int]], Tensor]:
        chance = self.weights / self.weights.sum()
        rows = rng.choice(len(self.tokens), count, replace=False, p=chance)
        return [self.tokens[row] for row in rows], torch.from_numpy(self.targets[rows])


def tokenised(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    return [encoding.ids[:MAX_TOKENS] for encoding in tokenizer.encode_batch(list(texts))]


def train_bilingual(
    text_side: TextSide,
    german: Sentences,
    english: Sentences,
    config: BilingualTraining,
    *,
    work: Path,
    progress: Progress = silent,
) -> TextSide:
    """Train `text_side` in place; it comes back ready to run. Keeps a checkpoint in `work`."""
    text_side = text_side.to(current_world().device)
    loss_of = current_world().together(
        text_side, partial(_loss, text_side, config), is_partial=True
    )
    optimizer = _optimizer(text_side, config)
    before = {name: value.clone() for name, value in text_side.state_dict().items()}
    data = fingerprint(config, german.targets, english.targets)
    checkpoint = Checkpoint(work / "bilingual.checkpoint", data)
    modules: dict[str, nn.Module] = {"text": text_side}
    foreign = round(config.batch * (1 - config.english))
    for step in range(checkpoint.resume(modules, optimizer), config.steps):
        rng = seed_step(config.seed, step)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(
                step, config.steps, peak=group["peak"], warmup=config.warmup
            )
        tokens, targets = german.draw(foreign, rng)
        more, their_targets = english.draw(config.batch - foreign, rng)
        text_side.train()
        loss = loss_of([*tokens, *more], torch.cat([targets, their_targets]))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(text_side.parameters(), 1.0)
        optimizer.step()
        if (step + 1) % config.save_every == 0 or step + 1 == config.steps:
            checkpoint.save(step + 1, modules, optimizer)
            logger.info("bilingual step=%d loss=%.4f", step + 1, loss.item())
        progress(step + 1, config.steps, {"loss": loss.item()})
    _remember(text_side, before, config.kept)
    return text_side.eval().cpu()


@torch.no_grad()
def _remember(text_side: TextSide, before: Mapping[str, Tensor], kept: float) -> None:
    """Move every weight but those of the German words back towards what it was."""
    for name, value in text_side.named_parameters():
        if not name.endswith(ADDED):
            value.lerp_(before[name], kept)


def padded(tokens: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """ids_BT and mask_BT."""
    longest = max(len(each) for each in tokens)
    ids_BT = torch.zeros(len(tokens), longest, dtype=torch.long)
    mask_BT = torch.zeros_like(ids_BT)
    for row, each in enumerate(tokens):
        ids_BT[row, : len(each)] = torch.tensor(each)
        mask_BT[row, : len(each)] = 1
    return ids_BT, mask_BT


def _loss(
    text_side: TextSide,
    config: BilingualTraining,
    tokens: Sequence[Sequence[int]],
    targets_BD: Tensor,
) -> Tensor:
    """How far from the targets, and how differently near to the other sentences' targets.

    Of several processes each embeds its part, and compares all.
    """
    world, count = current_world(), len(tokens)
    targets_BD = targets_BD.to(world.device)
    with torch.autocast(world.device.type, dtype=torch.bfloat16):
        own_BD = _embed(text_side, tokens[world.part(count)], world.device)
    ours_BD = world.gathered(functional.normalize(own_BD.float(), dim=-1), count)
    wanted_BB = torch.softmax(config.scale * targets_BD @ targets_BD.T, dim=-1)
    found_BB = functional.log_softmax(config.scale * ours_BD @ targets_BD.T, dim=-1)
    apart = 1 - (ours_BD * targets_BD).sum(dim=1).mean()
    return 2 * apart + functional.kl_div(found_BB, wanted_BB, reduction="batchmean")


def _embed(text_side: TextSide, tokens: Sequence[Sequence[int]], device: torch.device) -> Tensor:
    """Embeddings of sentences, run beside others of about their length: less is padded so."""
    order = sorted(range(len(tokens)), key=lambda row: len(tokens[row]))
    size = -(-len(order) // GROUPS)
    groups = [order[start : start + size] for start in range(0, len(order), size)]
    padded_groups = [padded([tokens[row] for row in rows]) for rows in groups]
    parts = [text_side(ids.to(device), mask.to(device)) for ids, mask in padded_groups]
    back = torch.tensor(order).argsort()
    return torch.cat(parts)[back]


def _optimizer(text_side: TextSide, config: BilingualTraining) -> optim.Optimizer:
    """New words learn faster than the network that has read millions of sentences."""
    learning = [(n, p) for n, p in text_side.named_parameters() if p.requires_grad]
    words = [p for name, p in learning if name.endswith(ADDED)]
    others = [p for name, p in learning if not name.endswith(ADDED)]
    groups = [
        {"params": others, "peak": config.peak_rate},
        {"params": words, "peak": config.word_rate},
    ]
    return optim.AdamW(groups, lr=config.peak_rate, weight_decay=config.weight_decay, fused=True)
