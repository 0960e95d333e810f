"""Train towers of the joint embedding on cached features: minutes, not hours.

Contrastive (CLIP, Radford et al. 2021): a text must find its photo among those of its batch and the
photo its text. Every batch comes from one stream (captions of one collection, their single words,
labels), since photos of two collections are too easy to tell apart. Several towers are trained and
merged into one: see `vision.training.embedding.merging`.
"""

import copy
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn, optim
from torch.nn import functional

from vision.heads.embedding import TextTower
from vision.heads.image_head import ImageHead, ImageHeadConfig
from vision.training.checkpoint import Checkpoint, fingerprint
from vision.training.distributed.world import current_world
from vision.training.embedding.bilingual import BilingualTraining
from vision.training.embedding.image_head import ImageHeadTraining, standardisation, weight_decayed
from vision.training.embedding.pairs import Batch, Photos, Stream
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
class TowerTraining:
    """Settings of one tower."""

    steps: int = 700
    batch: int = 750
    peak_rate: float = 1e-3
    warmup: int = 50
    weight_decay: float = 0.5
    image_dropout: float = 0.6
    image_hidden: int = 1024
    image_hidden_dropout: float = 0.5
    text_hidden: int = 1024
    text_dropout: float = 0.2
    average_decay: float = 0.995
    first_scale: float = 20.0
    seed: int = 0
    save_every: int = 100


@dataclass(frozen=True, slots=True)
class Merging:
    """Settings of a merger.

    `squeezed`: the hidden layers together read so many directions of a description; 384 keep 0.98
    of what they would see, and no recall is lost. `hubs` is how much of querybank normalisation is
    taken over, `level` the last coordinate of texts. On dev (Flickr8k / coco_wide recall@10,
    keyword mAP of caltech101 and scenes): hubs 0: 72.7 / 68.2, 0.909; 0.3: 73.2 / 68.7, 0.905; 0.4:
    73.2 / 68.8, 0.903; 0.5: 73.5 / 68.3, 0.900; 1.0: 73.4 / 69.2, 0.888.
    """

    squeezed: int = 384
    bank: int = 1024
    hubs: float = 0.4
    level: float = 0.4
    scale: float = 22.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class EmbeddingTraining:
    """Settings of the whole: towers of successive seeds, merged, then German.

    `captions`, `words` and `labels` share out the batches between the kinds of streams; each kind
    is shared out evenly among its collections. `joining` is for a backbone that joins a space.
    """

    towers: int = 2
    captions: float = 0.76
    words: float = 0.12
    labels: float = 0.12
    seed: int = 0
    tower: TowerTraining = field(default_factory=TowerTraining)
    merging: Merging = field(default_factory=Merging)
    bilingual: BilingualTraining = field(default_factory=BilingualTraining)
    joining: ImageHeadTraining = field(default_factory=ImageHeadTraining)


@dataclass(frozen=True, slots=True)
class Lesson:
    """A stream and how large its share of the batches is."""

    stream: Stream
    share: float


class Tower(nn.Module):
    """One image head and one text tower, and the scale of their similarity.

    Takes raw descriptions and standardises them itself.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, image: ImageHeadConfig, text: int, config: TowerTraining) -> None:
        super().__init__()
        self.image = ImageHead(
            image, dropout=config.image_dropout, hidden_dropout=config.image_hidden_dropout
        )
        self.text = TextTower(
            text=text,
            hidden=config.text_hidden,
            dropout=config.text_dropout,
            dim=image.embed_dim,
        )
        self.log_scale = nn.Parameter(torch.tensor(config.first_scale).log())
        self.register_buffer("mean", torch.zeros(image.described))
        self.register_buffer("deviation", torch.ones(image.described))

    @property
    def scale(self) -> Tensor:
        return self.log_scale.exp().clamp(max=100)

    def images(self, described_BF: Tensor) -> Tensor:
        return self.image((described_BF - self.mean) / self.deviation)

    def loss(self, batch: Batch) -> Tensor:
        """Cross-entropy both ways; what is true of several photos is shared among them.

        Of several processes each embeds its part, and contrasts all.
        """
        world = current_world()
        photos, texts = batch.true.shape
        described = batch.described[world.part(photos)].to(world.device)
        sentences = batch.sentences[world.part(texts)].to(world.device)
        with torch.autocast(world.device.type, dtype=torch.bfloat16):
            images_BD = world.gathered(self.images(described), photos)
            texts_WD = world.gathered(self.text(sentences), texts)
            scores_BW = self.scale * images_BD @ texts_WD.T
        return contrastive(scores_BW.float(), batch.true.to(world.device))


def contrastive(scores_BW: Tensor, true_BW: Tensor) -> Tensor:
    """Symmetric cross-entropy with every true pair of a row or column as likely as the next."""
    to_photos = _shared_cross_entropy(scores_BW.T, true_BW.T)
    return (_shared_cross_entropy(scores_BW, true_BW) + to_photos) / 2


def train_tower(
    lessons: Sequence[Lesson],
    image: ImageHeadConfig,
    config: TowerTraining,
    *,
    photos: Sequence[Photos],
    text: int,
    work: Path,
    progress: Progress = silent,
) -> Tower:
    """The averaged weights of one tower. Keeps its checkpoint in `work` and goes on from it.

    `photos` say how descriptions are standardised, `text` is the width of sentence features.
    """
    torch.manual_seed(config.seed)
    tower = Tower(image, text, config)
    tower.mean, tower.deviation = standardisation(photos)
    data = fingerprint(config, tower.mean, tower.deviation)
    tower = tower.to(current_world().device)
    loss_of = current_world().together(tower, tower.loss)
    average = copy.deepcopy(tower)
    optimizer = weight_decayed(tower, config.peak_rate, config.weight_decay)
    checkpoint = Checkpoint(work / f"tower{config.seed}.checkpoint", data)
    modules: dict[str, nn.Module] = {"tower": tower, "average": average}
    for step in range(checkpoint.resume(modules, optimizer), config.steps):
        tower.train()
        loss = _train_step(loss_of, lessons, config, optimizer, step)
        update_average(average, tower, decay=config.average_decay, step=step)
        if (step + 1) % config.save_every == 0 or step + 1 == config.steps:
            checkpoint.save(step + 1, modules, optimizer)
            logger.info("embedding seed=%d step=%d loss=%.4f", config.seed, step + 1, loss)
        progress(step + 1, config.steps, {"loss": loss})
    return average.eval().cpu()


def _train_step(
    loss_of: Callable[[Batch], Tensor],
    lessons: Sequence[Lesson],
    config: TowerTraining,
    optimizer: optim.Optimizer,
    step: int,
) -> float:
    rng = seed_step(config.seed, step)
    shares = np.array([lesson.share for lesson in lessons])
    lesson = lessons[int(rng.choice(len(lessons), p=shares / shares.sum()))]
    rate = learning_rate(step, config.steps, peak=config.peak_rate, warmup=config.warmup)
    loss = loss_of(lesson.stream.draw(config.batch, rng))
    descend(loss, optimizer, rate=rate)
    return loss.item()


def _shared_cross_entropy(scores: Tensor, true: Tensor) -> Tensor:
    """Mean over the rows that have a true column."""
    true = true.float()
    found = true.sum(dim=1)
    each = -(true * functional.log_softmax(scores, dim=1)).sum(dim=1) / found.clamp(min=1)
    return each[found > 0].mean()
