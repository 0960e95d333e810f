"""Teaching captions: people's words become likelier, what was said of other photos stays."""

from pathlib import Path

import numpy as np
import pytest
import torch

from vision.heads.polyglot import SPECIAL, Photos, PolyglotConfig, PolyglotDecoder
from vision.training.captions.data import Vocabulary
from vision.training.owned.captions import (
    Book,
    CaptionRetraining,
    Sayings,
    judge,
    language_of,
    retrain_captions,
    sayings,
)

ENGLISH = Vocabulary(
    [*SPECIAL["en"], "a", "dog", "cat", "runs", "sleeps", "on", "the", "grass", "sofa", "boat"]
)
GERMAN = Vocabulary(
    [*SPECIAL["de"], "ein", "hund", "läuft", "schläft", "auf", "dem", "gras", "sofa"]
)
VOCABULARIES = {"en": ENGLISH, "de": GERMAN}
SIZES = {"pooled": 6, "stride16": 3, "classes": 4, "grid": 5, "cells": 4}
CONFIG = CaptionRetraining(steps=90, batch=16, peak_rate=1e-2, save_every=7, dropout=0.0)
OLD, NEW = "a dog runs on the grass", "a cat sleeps on the sofa"


def photos(subject: int, count: int, *, seed: int = 0) -> Photos:
    """Photos of one subject, a little different from one another."""
    centre = np.random.default_rng(subject)
    pooled, grid = centre.normal(size=6), centre.normal(size=(2, 2, 5))
    noise = np.random.default_rng([subject, seed])
    return Photos.of(
        pooled + noise.normal(scale=0.1, size=(count, 6)),
        np.zeros((count, 3)),
        grid + noise.normal(scale=0.1, size=(count, 2, 2, 5)),
        np.zeros((count, 4)),
    )


def joined(*parts: Photos) -> Photos:
    return Photos(torch.cat([p.grid for p in parts]), torch.cat([p.whole for p in parts]))


def said(text: str, rows: range) -> Sayings:
    place = {str(row): row for row in rows}
    return sayings("en", [(str(row), text) for row in rows], place, ENGLISH)


def a_book(written: str = NEW) -> Book:
    """Twelve photos of one thing with captions, two to judge by, twelve of another to rehearse."""
    every = joined(photos(1, 14), photos(2, 12))
    return Book(every, [said(written, range(12))], [said(OLD, range(14, 26))],
                [said(written, range(12, 14))])  # fmt: skip


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> PolyglotDecoder:
    """One that says OLD of everything."""
    torch.manual_seed(0)
    config = PolyglotConfig({k: len(v.words) for k, v in VOCABULARIES.items()}, **SIZES,
                            word=16, hidden=24, summary=12, attention=8, heads=2)  # fmt: skip
    everything = Book(joined(photos(1, 14), photos(2, 12)), [said(OLD, range(26))], [], [])
    untaught = PolyglotDecoder(config)
    work = tmp_path_factory.mktemp("old")
    return retrain_captions(untaught, everything, CaptionRetraining(
        steps=150, batch=16, peak_rate=2e-2, rehearsal=0.0, dropout=0.0), work=work)  # fmt: skip


def loss_of(model: PolyglotDecoder, text: str, subject: int) -> float:
    """Of a caption for unseen photos of a subject."""
    book = Book(photos(subject, 6, seed=9), [], [], [said(text, range(6))])
    return judge(model, book)["loss"]


def copy_of(model: PolyglotDecoder) -> PolyglotDecoder:
    fresh = PolyglotDecoder(model.config)
    fresh.load_state_dict(model.state_dict())
    return fresh


def test_words_of_a_corrected_caption_become_likelier_on_unseen_photos_alike(
    decoder: PolyglotDecoder, tmp_path: Path
) -> None:
    before = loss_of(decoder, NEW, 1)
    taught = retrain_captions(copy_of(decoder), a_book(), CONFIG, work=tmp_path)
    assert loss_of(taught, NEW, 1) < 0.5 * before
    assert loss_of(taught, NEW, 1) < loss_of(taught, OLD, 1)


def test_what_was_said_of_other_photos_is_not_forgotten(
    decoder: PolyglotDecoder, tmp_path: Path
) -> None:
    taught = retrain_captions(copy_of(decoder), a_book(), CONFIG, work=tmp_path)
    assert loss_of(taught, OLD, 2) < 0.5
    assert loss_of(taught, OLD, 2) < loss_of(taught, NEW, 2)


def test_interrupted_it_ends_with_the_same_weights(
    decoder: PolyglotDecoder, tmp_path: Path
) -> None:
    config = CaptionRetraining(steps=30, batch=8, peak_rate=5e-3, save_every=4, dropout=0.3)
    whole = retrain_captions(copy_of(decoder), a_book(), config, work=tmp_path / "whole")

    def stop(done: int, total: int, figures: dict[str, float]) -> None:
        if done == 14:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        retrain_captions(copy_of(decoder), a_book(), config, work=tmp_path / "two", progress=stop)
    rest = retrain_captions(copy_of(decoder), a_book(), config, work=tmp_path / "two")
    for name, value in whole.state_dict().items():
        assert torch.equal(value, rest.state_dict()[name]), name


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("A dog on the sofa", "en"),
        ("Ein Hund schläft auf dem Sofa", "de"),
        ("Miso on the sofa", "en"),  # one name among known words
        ("猫がソファで寝ている", None),
        ("qwertz uiop", None),
        ("", None),
    ],
)
def test_a_caption_is_learned_in_its_own_language_or_not_at_all(
    text: str, language: str | None
) -> None:
    assert language_of(text, VOCABULARIES) == language
