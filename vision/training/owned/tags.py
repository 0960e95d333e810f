"""Teach a tag head what people said: a linear map of the embedding, added to its log-odds.

The head itself stays as it is, so nothing is forgotten: photos that nobody corrected hold the sum
to the head's own answers (Li and Hoiem 2017, "Learning without forgetting"). Directions are
whitened, so that a correction reaches photos that are alike and few others. Besides the one that
ships, a few heads learn without a share of the photos each; what they say of those chooses
thresholds. Words that people made have lines of their own: see `vision.training.owned.own_words`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from vision.heads.word_model import WordModel, sigmoid
from vision.heads.word_tags import WordTable
from vision.training.checkpoint import Checkpoint, fingerprint
from vision.training.owned.own_words import SURE, Looks, OwnLines, learn_own_lines
from vision.training.owned.tag_lessons import Spoken, Targets, make_targets, stated_words
from vision.training.owned.tag_thresholds import Choice, choose_thresholds
from vision.training.steps import Progress, descend, learning_rate, seed_step, silent
from vision.training.tags.thresholds import NEVER
from vision.vocabulary import broader_words, hurtful_words, vocabulary
from vision.vocabulary.own_words import OWN

Rows = NDArray[np.float32]
# Of the mean variance: directions with less are not blown up; few photos know them badly, so the
# floor is higher by numbers in an embedding over photos.
WHITE_FLOOR = 0.05
NEW_WORD = -5.0  # log-odds of a word that nobody taught yet


@dataclass(frozen=True, slots=True)
class TagRetraining:
    """Settings. `hold` keeps what is taught small, `replay` keeps the head's answers."""

    steps: int = 200
    batch: int = 256
    peak_rate: float = 0.05
    hold: float = 2.0
    hold_bias: float = 10.0
    replay: float = 3.0
    added: float = 0.5  # what a word of the head counts that was added: people add what stands out
    unspoken: float = 1.0  # what a pair counts that nobody spoke of, on a corrected photo
    folds: int = 3
    fewest: int = 5  # photos that people gave a word, for it to become one of the head
    choice: Choice = field(default_factory=Choice)
    seed: int = 0
    save_every: int = 25
    judge_every: int = 10


@dataclass(frozen=True, slots=True)
class TagMaterial:
    """Log-odds (photos, W) before anything was taught and embeddings (photos, D), of corrected
    photos to learn from and to judge by, and of photos that nobody corrected; of the first and
    last also `probe_input` (photos, F)."""

    spoken: Sequence[Spoken]
    log_odds: Rows
    embeddings: Rows
    judged_by: Sequence[Spoken]
    judged_log_odds: Rows
    judged_embeddings: Rows
    other_log_odds: Rows
    other_embeddings: Rows
    features: Rows
    other_features: Rows

    def own_lines(self, table: WordTable, own: Sequence[int], *, right: float) -> OwnLines:
        """Lines for the words with these numbers."""
        looks = Looks(self.embeddings, self.features)
        stated = stated_words(self.spoken, table)[:, list(own)]
        library = Looks(self.other_embeddings, self.other_features)
        return learn_own_lines(looks, stated, library, right=right)


@dataclass(frozen=True, slots=True)
class Taught:
    """What to put into the head: (W, D + 1) as of `WordModel.taught`, lines of the words that
    people made, thresholds, and figures."""

    taught: Rows
    own_lines: OwnLines
    thresholds: NDArray[np.float32]
    figures: dict[str, float]

    def put_into(self, model: WordModel, own: Sequence[int]) -> WordModel:
        """The model that was taught; the words that people made are numbered `own`."""
        return replace(self.own_lines.put_into(model, own), taught=self.taught)


def retrain_tags(
    material: TagMaterial,
    table: WordTable,
    new: Sequence[int],
    config: TagRetraining,
    *,
    work: Path,
    progress: Progress = silent,
) -> Taught:
    """Teach the words of `table`; those numbered `new` are people's own."""
    own = list(new)
    targets = _targets(material.spoken, material.log_odds, table, config)
    targets.weight[:, own] = 0  # the map leaves to their lines what people made
    white = Whitening.of(np.concatenate([material.embeddings, material.other_embeddings]))
    learning = _Learning(material, targets, white, table, config)
    head = learning.run(work, progress)
    unseen = learning.unseen(head)
    library = material.other_log_odds + head.said(white(material.other_embeddings))
    thresholds = _thresholds(unseen, targets, library, table, config)
    lines = material.own_lines(table, own, right=config.choice.right)
    thresholds[own] = np.where(lines.said, SURE[0], NEVER)
    taught = white.folded(head)
    taught[own] = 0
    figures = {
        "photos": float(len(material.spoken)),
        "words": float(len(table.words)),
        "completeness": round(targets.completeness, 3),
    }
    return Taught(taught, lines, thresholds, figures)


@dataclass(frozen=True, slots=True)
class Whitening:
    """x -> (x - mean) @ matrix: equal variance in all directions, mean length 1."""

    mean: NDArray[np.float32]
    matrix: NDArray[np.float32]

    @classmethod
    def of(cls, embeddings: Rows) -> "Whitening":
        mean = embeddings.mean(axis=0, dtype=np.float64)
        centred = embeddings - mean
        values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
        floor = WHITE_FLOOR + embeddings.shape[1] / len(embeddings)
        scale = (np.maximum(values, 0) / values.mean() + floor) ** -0.5
        matrix = vectors * scale
        length = np.linalg.norm(centred @ matrix, axis=1).mean()
        return cls(mean.astype(np.float32), (matrix / length).astype(np.float32))

    def __call__(self, embeddings: Rows) -> Rows:
        white: Rows = ((embeddings - self.mean) @ self.matrix).astype(np.float32)
        return white

    def folded(self, head: "Shift") -> Rows:
        """The last head of `head` on plain embeddings, (W, D + 1)."""
        delta, bias = head.delta[-1].detach().numpy(), head.bias[-1].detach().numpy()
        plain = delta @ self.matrix.T
        return np.concatenate([plain, (bias - plain @ self.mean)[:, None]], axis=1)


class Shift(nn.Module):
    """What is added to log-odds, by several heads at once: (K, W, D) and (K, W). The last of them
    learns from every photo."""

    def __init__(self, heads: int, words: int, width: int) -> None:
        super().__init__()
        self.delta = nn.Parameter(torch.zeros(heads, words, width))
        self.bias = nn.Parameter(torch.zeros(heads, words))

    def forward(self, white_BD: Tensor) -> Tensor:
        """(K, B, W)."""
        return torch.einsum("bd,kwd->kbw", white_BD, self.delta) + self.bias[:, None]

    @torch.no_grad()
    def said(self, white: Rows, head: int = -1) -> Rows:
        """What one head adds, (B, W)."""
        added = torch.from_numpy(white) @ self.delta[head].T + self.bias[head]
        return np.asarray(added.numpy(), np.float32)


class _Learning:
    """One training: its data as tensors, and its steps."""

    def __init__(
        self,
        material: TagMaterial,
        targets: Targets,
        white: Whitening,
        table: WordTable,
        config: TagRetraining,
    ) -> None:
        self.config = config
        self.white, self.base = white(material.embeddings), material.log_odds
        self.targets = targets
        self.fold = np.arange(len(self.base)) % config.folds
        self.other_white, self.other_base = (
            white(material.other_embeddings),
            material.other_log_odds,
        )
        self.judged_white, self.judged_base = (
            white(material.judged_embeddings),
            material.judged_log_odds,
        )
        self.judged = stated_words(material.judged_by, table)

    def run(self, work: Path, progress: Progress) -> Shift:
        config = self.config
        head = Shift(config.folds + 1, self.base.shape[1], self.white.shape[1])
        optimizer = torch.optim.Adam(head.parameters(), lr=config.peak_rate)
        mark = fingerprint(config, self.base, self.targets.likely, self.other_base, self.white)
        checkpoint = Checkpoint(work / "tags.checkpoint", mark)
        modules: dict[str, nn.Module] = {"head": head}
        for step in range(checkpoint.resume(modules, optimizer), config.steps):
            figures = {"loss": self._step(head, optimizer, step)}
            is_last = step + 1 == config.steps
            if (step + 1) % config.judge_every == 0 or is_last:
                figures |= self.judge(head)
            if (step + 1) % config.save_every == 0 or is_last:
                checkpoint.save(step + 1, modules, optimizer)
            progress(step + 1, config.steps, figures)
        return head

    def unseen(self, head: Shift) -> Rows:
        """Log-odds of each corrected photo by the head that did not learn from it."""
        said = np.stack([head.said(self.white, number) for number in range(self.config.folds)])
        return self.base + said[self.fold, np.arange(len(self.base))]

    @torch.no_grad()
    def judge(self, head: Shift) -> dict[str, float]:
        """The loss of what people said of photos that no step learns from."""
        stated = self.judged != 0
        if not stated.any():
            return {}
        log_odds = torch.from_numpy((self.judged_base + head.said(self.judged_white))[stated])
        wanted = torch.from_numpy((self.judged[stated] > 0).astype(np.float32))
        right = ((log_odds > 0) == (wanted > 0.5)).float().mean().item()
        loss = functional.binary_cross_entropy_with_logits(log_odds, wanted).item()
        return {"validation loss of corrections": loss, "validation corrections told right": right}

    def _step(self, head: Shift, optimizer: torch.optim.Optimizer, step: int) -> float:
        config, rng = self.config, seed_step(self.config.seed, step)
        rate = learning_rate(step, config.steps, peak=config.peak_rate, warmup=config.steps // 20)
        loss = self._corrected(head, rng) + config.replay * self._kept(head, rng)
        squares = config.hold * head.delta.pow(2).sum() + config.hold_bias * head.bias.pow(2).sum()
        total = loss + squares / len(self.base)
        descend(total, optimizer, rate=rate)
        return loss.item() / (config.folds + 1)

    def _corrected(self, head: Shift, rng: np.random.Generator) -> Tensor:
        """Each head on those photos of the batch that it may see."""
        rows = _some(len(self.base), self.config.batch, rng)
        folds = np.arange(self.config.folds + 1)[:, None]
        may_see = torch.from_numpy((self.fold[rows] != folds).astype(np.float32))
        each = _loss(head, self.white[rows], self.base[rows], self.targets.likely[rows])
        each = (each * torch.from_numpy(self.targets.weight[rows])).sum(dim=-1)
        return ((each * may_see).sum(dim=1) / may_see.sum(dim=1).clamp(min=1)).sum()

    def _kept(self, head: Shift, rng: np.random.Generator) -> Tensor:
        """How far photos that nobody corrected are from the head's own answers."""
        if not len(self.other_base):
            return torch.zeros(())
        rows = _some(len(self.other_base), self.config.batch, rng)
        base = self.other_base[rows]
        each = _loss(head, self.other_white[rows], base, sigmoid(base))
        return each.sum(dim=-1).mean(dim=1).sum()


def _loss(head: Shift, white: Rows, base: Rows, likely: Rows) -> Tensor:
    """Cross-entropy (K, B, W)."""
    log_odds = torch.from_numpy(base) + head(torch.from_numpy(white))
    wanted = torch.from_numpy(likely).expand_as(log_odds)
    return functional.binary_cross_entropy_with_logits(log_odds, wanted, reduction="none")


def _some(count: int, batch: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return rng.choice(count, min(count, batch), replace=False)


def _targets(
    spoken: Sequence[Spoken], log_odds: Rows, table: WordTable, config: TagRetraining
) -> Targets:
    stated = stated_words(spoken, table)
    return make_targets(stated, log_odds, table, unspoken=config.unspoken, added=config.added)


def _thresholds(
    unseen: Rows, targets: Targets, library: Rows, table: WordTable, config: TagRetraining
) -> NDArray[np.float32]:
    words = table.modelled
    first = table.thresholds[:words].copy()
    if not len(library):
        return first
    return choose_thresholds(unseen, targets, library, first, table.broader[:words], config.choice)


def with_words(
    table: WordTable, model: WordModel, own: Sequence[str]
) -> tuple[WordTable, WordModel]:
    """The table and model with `own` words beside those of earlier trainings; all of these are
    unlikely everywhere until they are taught."""
    count, at = len(own), table.modelled
    model = _without(model, [number for number, each in enumerate(table.groups) if each == OWN])
    curve = np.linspace(-12, 12, model.knots.shape[1], dtype=np.float32)[None]
    weights = np.zeros((count, 4), np.float32)
    weights[:, 0] = NEW_WORD
    grown = WordModel(
        fold=_more(model.fold, count),
        prompts=_more(model.prompts, count),
        probe=_more(model.probe, count),
        weights=np.concatenate([model.weights, weights]),
        group=np.concatenate([model.group, np.full(count, len(model.knots))]),
        knots=np.concatenate([model.knots, curve]),
        values=np.concatenate([model.values, curve]),
    )
    return _longer(table, own, at), grown if count else model


def _without(model: WordModel, own: Sequence[int]) -> WordModel:
    """The model without what an earlier training knew of words that people made."""
    rows = list(own)
    weights = model.weights.copy()
    weights[rows] = [NEW_WORD, 0, 0, 0]
    return replace(model, weights=weights, taught=None)


def _longer(table: WordTable, own: Sequence[str], at: int) -> WordTable:
    def put(values: tuple, more: Sequence) -> tuple:
        return (*values[:at], *more, *values[at:])

    count = len(own)
    place = {word: number for number, word in enumerate(table.words)}
    hurtful = np.array([word in hurtful_words() for word in own], dtype=bool)
    return replace(
        table,
        words=put(table.words, own),
        groups=put(table.groups, [OWN] * count),
        broader=put(table.broader, [_above(word, place) for word in own]),
        classes=put(table.classes, [()] * count),
        thresholds=np.insert(table.thresholds, at, np.full(count, 2.0)),
        hurtful=np.insert(table.hurtful, at, hurtful),
        people=np.insert(table.people, at, np.zeros(count, dtype=bool)),
    )


def _above(word: str, place: dict[str, int]) -> int:
    """The number of the nearest broader word that the head has, as of words of the vocabulary."""
    known = broader_words(word) if word in vocabulary() else []
    return next((place[above] for above in known if above in place), -1)


def _more(array: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    return np.concatenate([array, np.zeros((count, array.shape[1]), np.float32)])
