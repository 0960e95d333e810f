"""Distil Inception-v3 from EfficientNet-Lite2: consistent, patient teaching.

Teacher and student see the same crops; the student learns the teacher's soft targets, pooled
features and grid (Beyer et al. 2022, "Knowledge distillation: A good teacher is patient and
consistent", arXiv:2106.05237). Nobody's labels are read. Batches are a function of (seed, step),
so that a training in many resumed parts ends like one in a single go; the number of steps, the
stages that learn and the photo size may be changed between parts.
"""

import copy
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn, optim

from vision.backbones.base import Backbone, Features
from vision.backbones.inception_views import InceptionViews
from vision.training.checkpoint import Checkpoint
from vision.training.distillation.distilled import as_views, keep_student, recalibrate
from vision.training.distillation.head_start import begin
from vision.training.distillation.lessons import (
    Ahead,
    AskedTeacher,
    Draw,
    KeptAnswers,
    KeptMaps,
    Lesson,
    Photos,
    resized,
)
from vision.training.distillation.photos import KEPT_SIZE
from vision.training.distillation.student import Standard, Student, Views, Weights, losses
from vision.training.steps import Progress, plateau, seed_step, silent, update_average

LOG = "distill.jsonl"
# What is told of the averaged student on held-out photos, by its name in the log.
TOLD = {"cosine": "validation agreement", "top5": "validation first class among five"}
CALIBRATION = 512  # photos that BatchNorm's final statistics are measured on
Plan = tuple[tuple[float, Any], ...]  # (from this share of the steps on, value)


@dataclass(frozen=True, slots=True)
class Distillation:
    """Settings. `steps`, `sizes`, `learn_from` and what is named judge or save may change."""

    steps: int = 3000
    batch: int = 64
    sizes: Plan = ((0.0, 160), (0.75, 192))
    # Stages below were not touched by nsfwjs' authors: they are ImageNet's.
    learn_from: Plan = ((0.0, "Mixed_6d"),)
    least_area: float = 0.5  # of a crop; 1 is the whole photo
    maps_until: float = 0.9  # share of the steps that read kept maps of the frozen stages
    maps_size: int = 160
    begin_with: int = 2048  # photos that the new layers are first fitted on
    heads_rate: float = 3e-4
    stages_rate: float = 1e-3
    warmup: int = 100
    decay_from: float = 0.5  # the rate stays until this share of the steps, then falls to nothing
    weight_decay: float = 0.02
    average_decay: float = 0.995
    weights: Weights = field(default_factory=Weights)
    seed: int = 0
    bfloat16: bool = True
    save_every: int = 100
    judge_every: int = 100
    judge_size: int = 192

    def at(self, plan: Plan, step: int) -> Any:
        """The value of a plan at a step."""
        return [value for share, value in plan if step >= share * self.steps][-1]

    def rate(self, step: int) -> float:
        """Share of the peak rates."""
        return plateau(step, self.steps, warmup=self.warmup, decay_from=self.decay_from)

    def identity(self) -> str:
        """What a checkpoint must have in common with a training that goes on from it."""
        keys = ("batch", "weight_decay", "average_decay", "weights", "seed")
        return json.dumps({key: asdict(self)[key] for key in keys})


class DistillationRun:
    """One training in a work folder: checkpoint, log, averaged student."""

    def __init__(
        self,
        student: Student,
        *,
        teacher: Backbone,
        photos: Photos,
        held_out: Photos,
        config: Distillation,
        work: Path,
        kept: KeptAnswers | None = None,
        maps: KeptMaps | None = None,
        device: str = "cpu",
    ) -> None:
        """`kept` answers in the teacher's place for whole photos, as far as it has them.

        `maps` spare the student its frozen stages for the first part of the training.
        """
        self.config, self.device, self.work = config, device, work
        self.photos, self.maps = photos, maps
        torch.manual_seed(config.seed)
        self.student = student.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.student)
        self.teacher, self.kept = AskedTeacher(teacher), kept
        self.held_out, self.wanted = held_out, teacher(resized(held_out, teacher.input_size))
        sample = np.linspace(0, len(photos) - 1, min(256, len(photos))).astype(int)
        self.standard = Standard().to(device)
        self.standard.measure(teacher(resized(photos[sample], teacher.input_size)))
        self.optimizer = _optimizer(self.student, config)
        self.checkpoint = Checkpoint(work / "distill.checkpoint", config.identity())

    def run(self, *, progress: Progress = silent) -> InceptionViews:
        """The averaged student after all steps, kept in `work`; goes on from the checkpoint."""
        config = self.config
        modules: dict[str, nn.Module] = {"student": self.student, "average": self.average}
        lessons = Ahead(self._lesson)
        first = self.checkpoint.resume(modules, self.optimizer)
        if first == 0:
            self._begin()
        for step in range(first, config.steps):
            started = time.monotonic()
            parts = self._learn(lessons.lesson(step), step)
            self._follow(step)
            row = {"step": step + 1, "seconds": round(time.monotonic() - started, 2), **parts}
            if (step + 1) % config.judge_every == 0 or step + 1 == config.steps:
                row |= self.judge()
            self._log(row)
            if (step + 1) % config.save_every == 0 or step + 1 == config.steps:
                self.checkpoint.save(step + 1, modules, self.optimizer)
            told = {words: row[name] for name, words in TOLD.items() if name in row}
            progress(step + 1, config.steps, {"loss": sum(parts.values()), **told})
        return self._finish()

    def _begin(self) -> None:
        """Set the new layers by regression on photos that no step will draw in this way."""
        figures = begin(self.student, self._first_look())
        self.average.load_state_dict(self.student.state_dict())
        self._log({"step": 0, **{f"began_{name}": value for name, value in figures.items()}})

    def _first_look(self) -> Iterator[tuple[Tensor, Tensor, Views]]:
        learn_from = self.config.at(self.config.learn_from, 0)
        self.student.freeze_before(learn_from)  # BatchNorm as it will be while learning
        batches = -(-self.config.begin_with // self.config.batch)
        for number in range(batches):
            lesson = self._lesson(-1 - number)
            seen = torch.from_numpy(lesson.seen).to(self.device)
            with self._autocast():
                low, high = self.student.maps(seen, learn_from=learn_from, kept=lesson.kept)
            yield low.cpu(), high.cpu(), _to_cpu(self.standard(lesson.wanted))

    def _finish(self) -> InceptionViews:
        """The averaged weights, with BatchNorm's statistics of whole photos as the product's."""
        sample = np.linspace(0, len(self.photos) - 1, min(CALIBRATION, len(self.photos)))
        chosen = resized(self.photos[np.unique(sample.astype(int))], self.config.judge_size)
        batches = torch.from_numpy(chosen).to(self.device).split(32)
        names = [name for name, _ in self.average.network.stages()]
        lowest = min((stage for _, stage in self.config.learn_from), key=names.index)
        recalibrate(self.average, batches, learned_from=lowest)
        self._log({"step": self.config.steps, "finished": 1, **self.judge()})
        views = as_views(self.average.to("cpu"), self.standard.to("cpu"))
        keep_student(views, self.work.parent)
        return views

    def _lesson(self, step: int) -> Lesson:
        config, seed = self.config, [self.config.seed, step % 2**31]
        if self.maps and step < config.maps_until * config.steps:
            draw = self.maps.draw(config.batch, seed=seed)
            return Lesson(self.maps.maps(draw), self._answers(draw), kept=True)
        rows = self._rows()
        draw = Draw.random(rows, config.batch, KEPT_SIZE, config.least_area, seed=seed)
        pixels = draw.cut(self.photos, config.at(config.sizes, max(step, 0)))
        whole = config.least_area >= 1
        return Lesson(pixels, self._answers(draw) if whole else self.teacher(draw, self.photos))

    def _rows(self) -> NDArray[np.int64]:
        """Photos to draw from: all, or whole ones whose answers are kept."""
        if self.kept and self.config.least_area >= 1:
            return self.kept.rows()
        return np.arange(len(self.photos))

    def _answers(self, draw: Draw) -> Features:
        """For whole photos: kept, or asked for."""
        return (self.kept or self.teacher)(draw, self.photos)

    def _learn(self, lesson: Lesson, step: int) -> dict[str, float]:
        config = self.config
        seed_step(config.seed, step)
        learn_from = config.at(config.learn_from, step)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * config.rate(step)
        self.student.freeze_before(learn_from)
        seen = torch.from_numpy(lesson.seen).to(self.device)
        with self._autocast():
            answer, aux = self.student(seen, learn_from=learn_from, kept=lesson.kept)
            parts = losses(answer, aux, self.standard(lesson.wanted), config.weights)
            loss = torch.stack(list(parts.values())).sum()
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.student.parameters(), 5.0)
        self.optimizer.step()
        return {name: round(part.item(), 4) for name, part in parts.items()}

    def _follow(self, step: int) -> None:
        """Let the average follow; BatchNorm's statistics are averages already."""
        update_average(self.average, self.student, decay=self.config.average_decay, step=step)
        for mine, theirs in zip(self.average.buffers(), self.student.buffers(), strict=True):
            mine.copy_(theirs)

    @torch.inference_mode()
    def judge(self) -> dict[str, float]:
        """How far the averaged student agrees with the teacher on held-out photos."""
        self.average.eval()
        pixels = torch.from_numpy(resized(self.held_out, self.config.judge_size))
        answers = []
        for part in pixels.split(32):
            with self._autocast():
                answers.append(self.average(part.to(self.device))[0])
        return agreement(_joined(answers), self.standard(self.wanted))

    def _autocast(self) -> torch.autocast:
        kind = torch.device(self.device).type
        return torch.autocast(kind, torch.bfloat16, enabled=self.config.bfloat16)

    def _log(self, row: dict[str, float]) -> None:
        self.work.mkdir(parents=True, exist_ok=True)
        with (self.work / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")


def agreement(answer: Views, wanted: Views) -> dict[str, float]:
    """Whether the teacher's first class is among the student's five, and how alike features are.

    `explained_*` is the share of the teacher's variance that the student tells.
    """
    first, five = wanted.logits.argmax(dim=-1), answer.logits.float().topk(5).indices
    figures = {"top5": (five == first[:, None]).any(dim=-1).float().mean().item()}
    figures["top1"] = (five[:, 0] == first).float().mean().item()
    for part in ("pooled", "stride16", "grid"):
        mine, theirs = getattr(answer, part).float(), getattr(wanted, part)
        figures[f"explained_{part}"] = (1 - (mine - theirs).pow(2).mean() / theirs.var()).item()
    alike = nn.functional.cosine_similarity(answer.pooled.float(), wanted.pooled)
    figures["cosine"] = alike.mean().item()
    return {name: round(value, 4) for name, value in figures.items()}


def _to_cpu(views: Views) -> Views:
    return Views(views.pooled.cpu(), views.stride16.cpu(), views.grid.cpu(), views.logits.cpu())


def _joined(answers: Sequence[Views]) -> Views:
    def all_of(part: str) -> Tensor:
        return torch.cat([getattr(answer, part) for answer in answers])

    return Views(*(all_of(part) for part in ("pooled", "stride16", "grid", "logits")))


def _optimizer(student: Student, config: Distillation) -> optim.Optimizer:
    """All stages, since later parts of a training may let more of them learn."""
    stages = list(student.stages_from("Conv2d_1a_3x3"))
    groups = [
        {"params": list(student.heads()), "peak": config.heads_rate},
        {"params": stages, "peak": config.stages_rate},
    ]
    return optim.AdamW(groups, weight_decay=config.weight_decay, betas=(0.9, 0.98), fused=True)
