"""Teach the caption decoder captions that people wrote.

Everything goes on learning a little from their captions, and from the decoder's own captions of
photos that nobody corrected, as far as it is sure of them: so that it does not forget (rehearsal on
own answers, Li and Hoiem 2017). Words that it does not know are heard, but never said.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vision.backbones.base import Features
from vision.errors import TrainingError
from vision.eye import Eye
from vision.heads.polyglot import SPECIAL, Photos, PolyglotCaptioner, PolyglotDecoder
from vision.training.captions.data import FIRST_MANNER, MAX_WORDS, NO_WORD, Vocabulary
from vision.training.captions.decoder import caption_loss
from vision.training.checkpoint import Checkpoint, fingerprint
from vision.training.owned.features import OwnedFeatures
from vision.training.publish import Draft, save_half
from vision.training.steps import (
    Progress,
    descend,
    learning_rate,
    seed_step,
    silent,
    update_average,
)
from vision.versions import Version
from vision.words import words_of

PORTION = 64
FEWEST_KNOWN = 0.6  # of a caption's words, for it to be in a language and to be learned from


@dataclass(frozen=True, slots=True)
class CaptionRetraining:
    """Settings. `rehearsal` is the share of each batch that are the decoder's own captions, `sure`
    how confident of them it must be."""

    steps: int = 150
    batch: int = 32
    peak_rate: float = 2e-4
    rehearsal: float = 0.6
    sure: float = 0.5
    dropout: float = 0.2
    smoothing: float = 0.05
    average_decay: float = 0.98
    seed: int = 0
    save_every: int = 25
    judge_every: int = 25


@dataclass(frozen=True, slots=True)
class CaptionLessons:
    """Captions that people wrote, (photo, text), to learn from and to judge by, and photos of which
    nobody wrote any."""

    written: Sequence[tuple[str, str]]
    judged_by: Sequence[tuple[str, str]]
    others: Sequence[str]


@dataclass(frozen=True, slots=True)
class Sayings:
    """Captions in one language: which row of the photos, and the words (n, MAX_WORDS + 1)."""

    language: str
    rows: NDArray[np.int64]
    words: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Book:
    """Photos, and what is written and said of them, language by language."""

    photos: Photos
    written: Sequence[Sayings]
    rehearsed: Sequence[Sayings]
    judged_by: Sequence[Sayings]


def teach_captions(
    base: Version,
    eye: Eye,
    seen: OwnedFeatures,
    lessons: CaptionLessons,
    draft: Draft,
    config: CaptionRetraining,
    *,
    work: Path,
    progress: Progress = silent,
) -> dict[str, float]:
    """Put a taught decoder into the draft; figures of how it learned. Raises TrainingError."""
    captioner = eye.caption
    if not isinstance(captioner, PolyglotCaptioner):
        raise TrainingError(
            f"The captions of {base.name} cannot be retrained: another kind of network writes "
            "them. Activate a version such as the one that ships."
        )
    vocabularies = {
        code: Vocabulary([word.lower() for word in own.vocabulary])
        for code, own in captioner.languages.items()
    }
    book = make_book(captioner, vocabularies, seen, lessons, sure=config.sure)
    if not any(len(each) for each in book.written):
        raise TrainingError(
            "Nobody has written a caption, in a language that the captions are in, of a photo that "
            "may be learned from yet. Write some captions first. (A fifth of all photos is held "
            "out.)"
        )
    model = PolyglotDecoder(captioner.decoder.config, dropout=config.dropout)
    model.load_state_dict(captioner.decoder.state_dict())
    before = judge(model, book)
    taught = retrain_captions(model, book, config, work=work, progress=progress)
    save_half(taught, draft.folder / base.part("captions")["file"])
    figures = {f"{name} before": value for name, value in before.items()}
    count = float(sum(len(each) for each in book.written))
    rehearsed = float(sum(len(each) for each in book.rehearsed))
    return {"captions": count, "rehearsed": rehearsed, **figures, **judge(taught, book)}


def retrain_captions(
    model: PolyglotDecoder,
    book: Book,
    config: CaptionRetraining,
    *,
    work: Path,
    progress: Progress = silent,
) -> PolyglotDecoder:
    """The averaged weights after all steps; keeps its checkpoint in `work` and goes on from it."""
    model.requires_grad_(True)
    average = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.peak_rate, weight_decay=0.0)
    mark = fingerprint(config, *(each.words for each in (*book.written, *book.rehearsed)))
    checkpoint = Checkpoint(work / "captions.checkpoint", mark)
    modules: dict[str, nn.Module] = {"model": model, "average": average}
    for step in range(checkpoint.resume(modules, optimizer), config.steps):
        figures = {"loss": _step(model, book, optimizer, step, config)}
        update_average(average, model, decay=config.average_decay, step=step)
        is_last = step + 1 == config.steps
        if (step + 1) % config.judge_every == 0 or is_last:
            figures |= {f"validation {k}": v for k, v in judge(average, book).items()}
        if (step + 1) % config.save_every == 0 or is_last:
            checkpoint.save(step + 1, modules, optimizer)
        progress(step + 1, config.steps, figures)
    return average.eval()


@torch.no_grad()
def judge(model: PolyglotDecoder, book: Book) -> dict[str, float]:
    """The loss of captions that no step learns from; nothing where there are none."""
    own = [each for each in book.judged_by if len(each)]
    if not own:
        return {}
    model.eval()
    losses = [_loss(model, book, each, np.arange(len(each)), smoothing=0.0) for each in own]
    return {"loss": float(torch.stack(losses).mean())}


def make_book(
    captioner: PolyglotCaptioner,
    vocabularies: dict[str, Vocabulary],
    seen: OwnedFeatures,
    lessons: CaptionLessons,
    *,
    sure: float,
) -> Book:
    """Everything as numbers. What the decoder says of photos that nobody wrote of is asked now."""
    pairs = (*lessons.written, *lessons.judged_by)
    named = sorted({photo for photo, _ in pairs})
    place = {photo: row for row, photo in enumerate([*named, *lessons.others])}
    parts: list[Photos] = []
    said: dict[str, list[tuple[str, str]]] = {code: [] for code in vocabularies}
    for features in seen.batches(named):
        parts.append(_photos(features))
    for number, features in enumerate(seen.batches(lessons.others, PORTION)):
        parts.append(_photos(features))
        own = lessons.others[number * PORTION :]
        for code, found in _confident(captioner, features, sure).items():
            said[code] += [(own[row], text) for row, text in found]
    photos = Photos(torch.cat([p.grid for p in parts]), torch.cat([p.whole for p in parts]))
    by_language = _by_language(lessons.written, vocabularies)
    judged = _by_language(lessons.judged_by, vocabularies)
    return Book(
        photos,
        [sayings(code, by_language[code], place, own) for code, own in vocabularies.items()],
        [sayings(code, said[code], place, own) for code, own in vocabularies.items()],
        [sayings(code, judged[code], place, own) for code, own in vocabularies.items()],
    )


def sayings(
    code: str, texts: Sequence[tuple[str, str]], place: dict[str, int], vocabulary: Vocabulary
) -> Sayings:
    words = [vocabulary.numbers(text) for _, text in texts]
    empty = np.zeros((0, MAX_WORDS + 1), np.int64)
    rows = np.array([place[photo] for photo, _ in texts], np.int64)
    return Sayings(code, rows, np.stack(words) if words else empty)


def language_of(text: str, vocabularies: dict[str, Vocabulary]) -> str | None:
    """The language that knows most of a text's words; None when none knows enough of them."""
    words = words_of(text)
    known = {
        code: sum(word in own.number_of for word in words) / max(1, len(words))
        for code, own in vocabularies.items()
    }
    best = max(known, key=lambda code: known[code])
    return best if known[best] >= FEWEST_KNOWN else None


def _by_language(
    texts: Sequence[tuple[str, str]], vocabularies: dict[str, Vocabulary]
) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {code: [] for code in vocabularies}
    for photo, text in texts:
        if code := language_of(text, vocabularies):
            found[code].append((photo, text))
    return found


def _confident(
    captioner: PolyglotCaptioner, features: Features, sure: float
) -> dict[str, list[tuple[int, str]]]:
    """What the decoder says and is sure of, by language: (row, caption)."""
    found: dict[str, list[tuple[int, str]]] = {code: [] for code in captioner.languages}
    for row, each in enumerate(captioner(features)):
        every = {next(iter(SPECIAL)): (each.caption, each.confidence), **each.others}
        for code, (text, confidence) in every.items():
            if confidence >= sure and code in found:
                found[code].append((row, text))
    return found


def _photos(features: Features) -> Photos:
    return Photos.of(features.pooled, features.stride16, features.grid, features.logits)


def _step(
    model: PolyglotDecoder,
    book: Book,
    optimizer: torch.optim.Optimizer,
    step: int,
    config: CaptionRetraining,
) -> float:
    rng = seed_step(config.seed, step)
    rate = learning_rate(step, config.steps, peak=config.peak_rate, warmup=config.steps // 10)
    model.train()
    kept = round(config.batch * config.rehearsal)
    loss = _mixed(model, book, book.written, config.batch - kept, rng, config)
    loss = (1 - config.rehearsal) * loss
    if any(len(each) for each in book.rehearsed):
        again = _mixed(model, book, book.rehearsed, kept, rng, config)
        loss = loss + config.rehearsal * again
    descend(loss, optimizer, rate=rate, longest=1.0)
    return loss.item()


def _mixed(
    model: PolyglotDecoder,
    book: Book,
    every: Sequence[Sayings],
    count: int,
    rng: np.random.Generator,
    config: CaptionRetraining,
) -> Tensor:
    """The loss of some captions of one language, chosen as often as there are captions in it."""
    sizes = np.array([len(each) for each in every], float)
    chosen = every[int(rng.choice(len(every), p=sizes / sizes.sum()))]
    rows = rng.choice(len(chosen), min(max(1, count), len(chosen)), replace=False)
    return _loss(model, book, chosen, rows, smoothing=config.smoothing)


def _loss(
    model: PolyglotDecoder,
    book: Book,
    chosen: Sayings,
    rows: NDArray[np.int64],
    *,
    smoothing: float,
) -> Tensor:
    where = torch.from_numpy(chosen.rows[rows])
    photos = Photos(book.photos.grid[where], book.photos.whole[where])
    words = chosen.words[rows]
    words = words[:, : int((words != NO_WORD).sum(axis=1).max())]
    return caption_loss(
        model,
        model.look(photos),
        torch.from_numpy(words),
        chosen.language,
        start=FIRST_MANNER,
        smoothing=smoothing,
    )
