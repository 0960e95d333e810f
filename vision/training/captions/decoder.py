"""Train the caption decoder: sentences alone, then photos with sentences, then whole captions.

Collections describe in different manners and languages, so each has a start token of its own: the
decoder learns what is in photos from all of them, and writes in the manner it is asked for.
"""

import copy
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn, optim
from torch.nn import functional

from vision.heads.polyglot import END, UNKNOWN, PolyglotConfig, PolyglotDecoder
from vision.heads.speaking import Seen
from vision.training.captions.data import FIRST_MANNER, NO_WORD, Sentences, Task
from vision.training.captions.rewards import CiderReward
from vision.training.captions.self_critical import self_critical_loss
from vision.training.checkpoint import Checkpoint, fingerprint
from vision.training.distributed.world import current_world
from vision.training.steps import (
    Progress,
    descend,
    learning_rate,
    seed_step,
    silent,
    update_average,
)

logger = logging.getLogger(__name__)

Shares = dict[str, float]


@dataclass(frozen=True, slots=True)
class CaptionTraining:
    """Settings of one training; shares say how often a step is of each task.

    A task that shares do not name has a share of 1. docs/models.md has what each stage is worth.
    """

    # Sentences without photos, by language.
    language_steps: int = 700
    language_batch: int = 160
    language_shares: Shares = field(default_factory=lambda: {"en": 0.6, "de": 0.4})
    # Cross-entropy on photos.
    photo_steps: int = 4500
    photo_shares: Shares = field(
        default_factory=lambda: {"flickr8k.en": 0.45, "coco_wide.en": 0.35, "flickr8k.de": 0.2}
    )
    batch: int = 96  # captions; a photo lends up to `captions_a_photo` of them
    captions_a_photo: int = 3
    # Some captions of other collections are learned as if written in the product's manner, which
    # so learns words that its own collection lacks.
    borrowed: float = 0.3
    # The same, leaning to the collection in whose manner the product writes.
    lean_steps: int = 1800
    lean_shares: Shares = field(
        default_factory=lambda: {"flickr8k.en": 0.65, "coco_wide.en": 0.15, "flickr8k.de": 0.2}
    )
    lean_rate: float = 8e-4
    # Self-critical steps on the tasks of `rewarded`, cross-entropy on the others.
    reward_steps: int = 900
    reward_shares: Shares = field(
        default_factory=lambda: {"flickr8k.en": 0.7, "coco_wide.en": 0.15, "flickr8k.de": 0.15}
    )
    rewarded: tuple[str, ...] = ("flickr8k.en", "flickr8k.de")
    reward_photos: int = 24
    samples: int = 5
    # Of samples: 1 trains what no beam would say (900 steps: 0.527 to 0.493; at 0.5, 300 steps:
    # to 0.559).
    temperature: float = 0.5
    reward_rate: float = 1.5e-4
    reward_average_decay: float = 0.995  # the stage is short
    # Of gradients only; without any, photos are learned by heart (0.695 there, 0.562 aside).
    reward_dropout: float = 0.15
    peak_rate: float = 1e-3
    warmup: int = 100
    weight_decay: float = 0.01
    dropout: float = 0.4
    label_smoothing: float = 0.1
    average_decay: float = 0.999
    fewest_uses: int = 4
    aside: int = 500  # photos of each collection that no step sees, to calibrate and choose by
    seed: int = 0
    save_every: int = 50
    bfloat16: bool = True  # a third faster where the processor has it; the sums stay in float32

    @property
    def total(self) -> int:
        return self.learning_steps + self.reward_steps

    @property
    def learning_steps(self) -> int:
        """Those before any reward."""
        return self.language_steps + self.photo_steps + self.lean_steps

    def decay(self, step: int) -> float:
        """How much of the average stays at a step."""
        return self.average_decay if step < self.learning_steps else self.reward_average_decay


@dataclass(frozen=True, slots=True)
class Lessons:
    """All that there is to learn from; without sentences the first stage is left out."""

    sentences: list[Sentences]
    tasks: list[Task]


def train_captions(
    lessons: Lessons,
    network: PolyglotConfig,
    config: CaptionTraining,
    *,
    work: Path,
    progress: Progress = silent,
) -> PolyglotDecoder:
    """The averaged weights after all steps; the checkpoint is in `work`."""
    torch.manual_seed(config.seed)
    model = PolyglotDecoder(network, dropout=config.dropout).to(current_world().device)
    average = copy.deepcopy(model)
    optimizer = optim.AdamW(
        model.parameters(), lr=config.peak_rate, weight_decay=config.weight_decay, fused=True
    )
    learned = [np.concatenate(task.captions) for task in lessons.tasks]
    mark = fingerprint(config, *learned, *(each.numbers for each in lessons.sentences))
    checkpoint = Checkpoint(work / "captions.checkpoint", mark)
    modules: dict[str, nn.Module] = {"model": model, "average": average}
    steps = _Steps(lessons, config, model)
    first = 0 if lessons.sentences else config.language_steps
    for step in range(max(first, checkpoint.resume(modules, optimizer)), config.total):
        figures = steps.take(step, optimizer)
        update_average(average, model, decay=config.decay(step), step=step)
        if (step + 1) % config.save_every == 0 or step + 1 == config.total:
            checkpoint.save(step + 1, modules, optimizer)
            told = " ".join(f"{name}={value:.4f}" for name, value in figures.items())
            logger.info("captions step=%d %s", step + 1, told)
        progress(step + 1, config.total, figures)
    return average.eval().cpu()


Taken = tuple[Tensor, dict[str, float]]  # the loss of a step and other figures


class _Steps:
    """The three stages as one row of steps.

    Of several processes each reads its part of the captions; the loss is that of all of them.
    """

    def __init__(self, lessons: Lessons, config: CaptionTraining, model: PolyglotDecoder) -> None:
        self.lessons, self.config, self.model = lessons, config, model
        self._rewards: dict[str, CiderReward] = {}
        self.world = current_world()
        # A step leaves out the words of languages that it does not read.
        self.loss_of = self.world.together(model, _loss_of, is_partial=True)

    def take(self, step: int, optimizer: optim.Optimizer) -> dict[str, float]:
        """One step; its figures."""
        config, rng = self.config, seed_step(self.config.seed, step)
        if step < config.language_steps:
            rate = self._rate(step, config.language_steps, config.peak_rate)
            loss, figures = self.loss_of(self._language_loss, rng)
        elif (late := step - config.language_steps) < config.photo_steps:
            rate = self._rate(late, config.photo_steps, config.peak_rate)
            task = _pick(self.lessons.tasks, config.photo_shares, rng)
            loss, figures = self.loss_of(self._photo_loss, rng, task)
        elif (late := late - config.photo_steps) < config.lean_steps:
            rate = self._rate(late, config.lean_steps, config.lean_rate)
            task = _pick(self.lessons.tasks, config.lean_shares, rng)
            loss, figures = self.loss_of(self._photo_loss, rng, task)
        else:
            rate = self._rate(late - config.lean_steps, config.reward_steps, config.reward_rate)
            self.model.dropout.p = config.reward_dropout
            loss, figures = self.loss_of(self._reward_loss, rng)
        descend(loss, optimizer, rate=rate, longest=1.0)
        return {"loss": loss.item()} | figures

    def _rate(self, step: int, total: int, peak: float) -> float:
        return learning_rate(step, total, peak=peak, warmup=self.config.warmup)

    def _language_loss(self, rng: np.random.Generator) -> Taken:
        config, model = self.config, self.model.train()
        every, shares = self.lessons.sentences, config.language_shares
        chances = np.array([shares.get(each.language, 1.0) for each in every])
        chosen = every[int(rng.choice(len(every), p=chances / chances.sum()))]
        words_BT = chosen.draw(config.language_batch, rng)
        start = int(rng.integers(FIRST_MANNER, FIRST_MANNER + 2)) if chosen.language == "en" else 2
        own_BT = words_BT[self.world.part(len(words_BT), least=1)]
        with self._autocast():
            loss = caption_loss(
                model,
                model.imagine(len(own_BT)),
                own_BT,
                chosen.language,
                start=start,
                smoothing=config.label_smoothing,
            )
        return loss, {}

    def _photo_loss(self, rng: np.random.Generator, task: Task) -> Taken:
        config, model = self.config, self.model.train()
        photos, words_PKT = task.draw(config.batch, config.captions_a_photo, rng)
        start = FIRST_MANNER if rng.random() < config.borrowed else task.start
        own = self.world.part(len(words_PKT), least=1)
        with self._autocast():
            loss = caption_loss(
                model,
                model.look(photos.part(own, self.world.device)),
                words_PKT[own].flatten(0, 1),
                task.language,
                start=start,
                smoothing=config.label_smoothing,
            )
        return loss, {}

    def _reward_loss(self, rng: np.random.Generator) -> Taken:
        config, model = self.config, self.model.train()
        task = _pick(self.lessons.tasks, config.reward_shares, rng)
        if task.name not in config.rewarded:
            return self._photo_loss(rng, task)
        with self._autocast():
            loss, reward = self_critical_loss(
                model,
                task,
                self._reward_of(task),
                photos=config.reward_photos,
                samples=config.samples,
                temperature=config.temperature,
                fast=config.bfloat16,
                rng=rng,
            )
        return loss, {"reward": reward}

    def _autocast(self) -> torch.autocast:
        device = self.world.device.type
        return torch.autocast(device, torch.bfloat16, enabled=self.config.bfloat16)

    def _reward_of(self, task: Task) -> CiderReward:
        if task.name not in self._rewards:
            references = [[[int(w) for w in row if w >= 0] for row in own] for own in task.captions]
            self._rewards[task.name] = CiderReward(references)
        return self._rewards[task.name]


def caption_loss(
    model: PolyglotDecoder,
    seen: Seen,
    words_BT: Tensor,
    language: str,
    *,
    start: int,
    smoothing: float,
) -> Tensor:
    """Mean cross-entropy of each known word, of all processes, given the words before it."""
    world = current_world()
    words_BT = words_BT.to(world.device)
    first_B1 = torch.full((len(words_BT), 1), start, device=world.device)
    before_BT = torch.cat([first_B1, words_BT[:, :-1].clamp(min=END)], dim=1)
    logits_BTV = model.read(before_BT, seen, language)
    # The unknown word is heard but never said.
    wanted_BT = words_BT.masked_fill(words_BT == UNKNOWN, NO_WORD)
    total = functional.cross_entropy(
        logits_BTV.float().flatten(0, 1),
        wanted_BT.flatten(),
        ignore_index=NO_WORD,
        label_smoothing=smoothing,
        reduction="sum",
    )
    return world.summed(total) / world.summed((wanted_BT != NO_WORD).sum())


def _loss_of(loss: Callable[..., Taken], *given: Any) -> Taken:
    """One function for the losses of all stages, since gradients are averaged over one."""
    return loss(*given)


def _pick(tasks: Sequence[Task], shares: Shares, rng: np.random.Generator) -> Task:
    chances = np.array([shares.get(task.name, 1.0) for task in tasks])
    return tasks[int(rng.choice(len(tasks), p=chances / chances.sum()))]
