"""Train the joint embedding on cached features: minutes, not hours.

Contrastive (CLIP, Radford et al. 2021): a caption must find its photo among those of its batch and
the photo its caption. Every batch comes from one collection, since photos of two are too easy to
tell apart.
"""

import copy
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn, optim
from torch.nn import functional

from vision.collection import Collection
from vision.evaluation.recall import text_to_image
from vision.heads.embedding import EmbeddingConfig, ImageTower, TextTower
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
from vision.training.sentences import caption_features

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EmbeddingTraining:
    """Settings of one training. `shares` says how often a batch comes from each collection.

    text -> image recall@1/5/10 on Flickr8k dev and coco_wide dev, one seed each, batch 750:
    dropout 0.2, 600 steps, shares 0.4/0.6: 26.0/54.9/68.3 and 21.8/49.8/65.5; dropout 0.5:
    26.7/56.5/69.6 and 21.8/52.5/67.0; with decay 0.5: 26.7/56.5/69.8 and 21.9/52.3/67.1; dropout
    0.6, 1,200 steps: 26.5/56.9/69.5 and 21.4/51.5/65.9; these settings: 27.2/57.5/70.1 and
    21.5/51.3/65.9.
    """

    shares: tuple[float, ...] = (0.5, 0.5)
    steps: int = 1000
    batch: int = 750
    peak_rate: float = 1e-3
    warmup: int = 50
    weight_decay: float = 0.5
    image_dropout: float = 0.6
    text_dropout: float = 0.2
    average_decay: float = 0.995
    first_scale: float = 20.0
    seed: int = 0
    save_every: int = 200
    network: EmbeddingConfig = field(default_factory=EmbeddingConfig)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Photos (one row of features a view) and the sentence features of their captions."""

    views: list[Tensor]  # each (photos, image width)
    sentences: Tensor  # (captions, text width)
    captions_of: list[NDArray[np.int64]]  # rows of `sentences` for each photo

    def draw(self, count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Features and sentence features of `count` different photos, each in any view."""
        photos = rng.choice(len(self.captions_of), min(count, len(self.captions_of)), replace=False)
        stacked = torch.stack([view[photos] for view in self.views])
        view = torch.from_numpy(rng.integers(len(self.views), size=len(photos)))
        rows = [rng.choice(self.captions_of[photo]) for photo in photos]
        return stacked[view, torch.arange(len(photos))], self.sentences[rows]


def load_pairs(
    cache: FeatureCache, collection: Collection, split: str, *, encoder: Path, views: Sequence[str]
) -> Pairs:
    """Cached features of a split and its captions."""
    names = cache.names(collection, split)
    rows, start = {}, 0
    for name, texts in collection.captions(split).items():
        rows[name] = np.arange(start, start + len(texts))
        start += len(texts)
    sentences = caption_features(collection, split, encoder=encoder, cache=cache.folder)
    return Pairs(
        views=[_image_features(cache, collection, split, view) for view in views],
        sentences=torch.from_numpy(sentences),
        captions_of=[rows[name] for name in names],
    )


class JointEmbedding(nn.Module):
    """Both towers and the scale of their similarity."""

    def __init__(self, config: EmbeddingTraining) -> None:
        super().__init__()
        self.image = ImageTower(config.network)
        self.text = TextTower(config.network, dropout=config.text_dropout)
        self.log_scale = nn.Parameter(torch.tensor(config.first_scale).log())
        self.image_dropout = nn.Dropout(config.image_dropout)

    def loss(self, features_BF: Tensor, sentences_BF: Tensor) -> Tensor:
        """Symmetric cross-entropy over the batch."""
        images_BD = self.image(self.image_dropout(features_BF))
        scores_BB = self.log_scale.exp().clamp(max=100) * images_BD @ self.text(sentences_BF).T
        right_B = torch.arange(len(scores_BB), device=scores_BB.device)
        return (
            functional.cross_entropy(scores_BB, right_B)
            + functional.cross_entropy(scores_BB.T, right_B)
        ) / 2


def train_embedding(
    pairs: Sequence[Pairs], config: EmbeddingTraining, *, work: Path, progress: Progress = silent
) -> JointEmbedding:
    """The averaged weights, with the standardisation of features folded into the image tower.

    Keeps its checkpoint in `work` and goes on from it.
    """
    mean_F, deviation_F = standardisation(pairs)
    pairs = [_standardised(each, mean_F, deviation_F) for each in pairs]
    torch.manual_seed(config.seed)
    model = JointEmbedding(config)
    average = copy.deepcopy(model)
    optimizer = _optimizer(model, config)
    data = fingerprint(config, *(each.sentences for each in pairs))
    checkpoint = Checkpoint(work / "embedding.checkpoint", data)
    modules: dict[str, nn.Module] = {"model": model, "average": average}
    for step in range(checkpoint.resume(modules, optimizer), config.steps):
        loss = _train_step(model, pairs, config, optimizer, step)
        update_average(average, model, decay=config.average_decay, step=step)
        if (step + 1) % config.save_every == 0 or step + 1 == config.steps:
            checkpoint.save(step + 1, modules, optimizer)
            logger.info("embedding step=%d loss=%.4f", step + 1, loss)
        progress(step + 1, config.steps, {"loss": loss})
    _fold(average.image, mean_F, deviation_F)
    return average.eval()


def recall(model: JointEmbedding, pairs: Pairs) -> dict[str, float]:
    """text -> image recall@k on a split's first view, from cached features."""
    model.eval()
    photo_of_text = np.concatenate(
        [np.full(len(rows), photo) for photo, rows in enumerate(pairs.captions_of)]
    )
    with torch.inference_mode():
        images = model.image(pairs.views[0]).numpy()
        texts = model.text(pairs.sentences[np.concatenate(pairs.captions_of)]).numpy()
    return text_to_image(texts, images, photo_of_text)


def standardisation(pairs: Sequence[Pairs]) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each feature over all photos as they are."""
    features_NF = torch.cat([each.views[0] for each in pairs])
    return features_NF.mean(dim=0), features_NF.std(dim=0) + 1e-3


def _train_step(
    model: JointEmbedding,
    pairs: Sequence[Pairs],
    config: EmbeddingTraining,
    optimizer: optim.Optimizer,
    step: int,
) -> float:
    rng = seed_step(config.seed, step)
    chosen = pairs[int(rng.choice(len(pairs), p=np.array(config.shares) / sum(config.shares)))]
    rate = learning_rate(step, config.steps, peak=config.peak_rate, warmup=config.warmup)
    for group in optimizer.param_groups:
        group["lr"] = rate
    model.train()
    loss = model.loss(*chosen.draw(config.batch, rng))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def _optimizer(model: nn.Module, config: EmbeddingTraining) -> optim.Optimizer:
    matrices = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return optim.AdamW(groups, lr=config.peak_rate, betas=(0.9, 0.98))


def _image_features(cache: FeatureCache, collection: Collection, split: str, view: str) -> Tensor:
    parts = [cache.load(collection, split, part, view) for part in ("pooled", "stride16")]
    return torch.from_numpy(np.concatenate(parts, axis=1).astype(np.float32))


def _standardised(pairs: Pairs, mean_F: Tensor, deviation_F: Tensor) -> Pairs:
    views = [(view - mean_F) / deviation_F for view in pairs.views]
    return Pairs(views, pairs.sentences, pairs.captions_of)


@torch.no_grad()
def _fold(tower: ImageTower, mean_F: Tensor, deviation_F: Tensor) -> None:
    """Make the tower take raw features: W (x - mean) / deviation + b."""
    weight = tower.linear.weight / deviation_F
    tower.linear.bias.sub_(weight @ mean_F)
    tower.linear.weight.copy_(weight)
