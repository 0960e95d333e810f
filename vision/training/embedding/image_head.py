"""Fit an image head to embeddings that are given: of a merged ensemble, or of another version.

This is how a backbone joins a space that exists already. The text side stays as it is, and no
captions or labels are needed, only photos.
"""

import copy
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn, optim
from torch.nn import functional

from vision.heads.image_head import ImageHead, ImageHeadConfig
from vision.training.checkpoint import Checkpoint, fingerprint
from vision.training.distributed.world import current_world
from vision.training.embedding.pairs import Photos
from vision.training.steps import (
    Progress,
    descend,
    learning_rate,
    seed_step,
    silent,
    update_average,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ImageHeadTraining:
    """Settings of one fit. `scale` is that of the contrast within a batch."""

    steps: int = 1000
    batch: int = 500
    peak_rate: float = 1e-3
    warmup: int = 50
    weight_decay: float = 0.3
    dropout: float = 0.3
    hidden: int = 1024
    hidden_dropout: float = 0.3
    scale: float = 25.0
    average_decay: float = 0.995
    seed: int = 0
    save_every: int = 100


def fit_image_head(
    described: Sequence[NDArray[np.float16]],
    targets_ND: NDArray[np.float32],
    image: ImageHeadConfig,
    config: ImageHeadTraining,
    *,
    work: Path,
    progress: Progress = silent,
) -> ImageHead:
    """A head of raw descriptions whose embeddings come near `targets_ND` (photos, dim), unit norm.

    `described` has one array (photos, F) a view of the same photos, made by
    `vision.heads.image_head.describe`; F is that of `image`. Each embedding should be near its
    target and nearer than to the other photos' targets. Keeps its checkpoint in `work`.
    """
    photos, targets = Photos(described), torch.from_numpy(targets_ND.astype(np.float32))
    mean_F, deviation_F = standardisation([photos])
    torch.manual_seed(config.seed)
    head = ImageHead(image, dropout=config.dropout, hidden_dropout=config.hidden_dropout)
    head = head.to(current_world().device)
    loss_of = current_world().together(head, partial(_loss, head, scale=config.scale))
    average = copy.deepcopy(head)
    optimizer = weight_decayed(head, config.peak_rate, config.weight_decay)
    checkpoint = Checkpoint(
        work / "image_head.checkpoint", fingerprint(config, targets, mean_F, deviation_F)
    )
    modules: dict[str, nn.Module] = {"head": head, "average": average}
    for step in range(checkpoint.resume(modules, optimizer), config.steps):
        rng = seed_step(config.seed, step)
        rows = rng.choice(len(photos), min(config.batch, len(photos)), replace=False)
        looked_BF = (photos.look(rows, rng) - mean_F) / deviation_F
        head.train()
        loss = loss_of(looked_BF, targets[rows])
        rate = learning_rate(step, config.steps, peak=config.peak_rate, warmup=config.warmup)
        descend(loss, optimizer, rate=rate)
        update_average(average, head, decay=config.average_decay, step=step)
        if (step + 1) % config.save_every == 0 or step + 1 == config.steps:
            checkpoint.save(step + 1, modules, optimizer)
            logger.info("image head step=%d loss=%.4f", step + 1, loss.item())
        progress(step + 1, config.steps, {"loss": loss.item()})
    average = average.cpu()
    average.fold(mean_F, deviation_F)
    return average.eval()


def standardisation(photos: Sequence[Photos]) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each number of the descriptions, over every view, (F,) float32."""
    total, squares, count = 0.0, 0.0, 0
    for view in (view for each in photos for view in each.views):
        for start in range(0, len(view), 4096):
            part = view[start : start + 4096].astype(np.float64)
            total, squares = total + part.sum(axis=0), squares + (part**2).sum(axis=0)
        count += len(view)
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 1e-8))
    return torch.tensor(mean, dtype=torch.float32), torch.tensor(deviation, dtype=torch.float32)


def weight_decayed(model: nn.Module, rate: float, decay: float) -> optim.Optimizer:
    """AdamW that lets biases and scales alone."""
    wanted = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in wanted if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in wanted if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), fused=True)


def _loss(head: ImageHead, described_BF: Tensor, targets_BD: Tensor, scale: float) -> Tensor:
    """How far from the targets, and how far the similarities among them differ.

    Of several processes each embeds its part, and compares all.
    """
    world, count = current_world(), len(targets_BD)
    targets_BD = targets_BD.to(world.device)
    with torch.autocast(world.device.type, dtype=torch.bfloat16):
        own_BD = head(described_BF[world.part(count)].to(world.device))
    ours_BD = world.gathered(functional.normalize(own_BD.float(), dim=-1), count)
    wanted_BB = torch.softmax(scale * targets_BD @ targets_BD.T, dim=-1)
    found_BB = functional.log_softmax(scale * ours_BD @ targets_BD.T, dim=-1)
    apart = 1 - (ours_BD * targets_BD).sum(dim=1).mean()
    return apart + functional.kl_div(found_BB, wanted_BB, reduction="batchmean")
