"""The caption decoder of a version, with what its confidence is worth."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
import torch

from vision.collection import Collection
from vision.heads.beam import BeamConfig, Found, beam_search
from vision.heads.polyglot import FIRST, SPECIAL, PolyglotConfig, PolyglotDecoder
from vision.training.caption_data import (
    CORPORA,
    FIRST_MANNER,
    Views,
    Vocabulary,
    build_vocabulary,
    load_sentences,
    load_views,
    make_task,
    read_lines,
    set_aside,
    spellings,
)
from vision.training.captions import CaptionTraining, Lessons, train_captions
from vision.training.checkpoint import Progress, silent
from vision.training.confidence import calibrate
from vision.training.function_words import FUNCTION_WORDS, UNFINAL
from vision.training.publish import save_half
from vision.training.workshop import Parts, Workshop

# CIDEr-D / BLEU-4 on Flickr8k photos set aside, photos a second of one core: width 1 0.557 / 0.216,
# 340; 2 0.566 / 0.227, 310; 3 0.570 / 0.229, 270; 5 0.583 / 0.230, 210. 5 at length power 1.2 (not
# 0.8) got 0.594 / 0.227 there, but 0.537 / 0.208 on development photos, where 3 gets 0.536 / 0.218.
# Without the ban on repetition 12 captions of 500 repeat themselves.
BEAM = BeamConfig(start=FIRST_MANNER, unrepeated=3, width=3, length_power=0.8)
CALIBRATION_BATCH = 64

Captions = dict[str, list[str]]  # by photo name
Taught = dict[tuple[Collection, str], Captions]  # by collection and language


def make_captions(shop: Workshop, config: CaptionTraining, *, progress: Progress = silent) -> Parts:
    """Train the caption decoder into the draft."""
    taught = captions_of(shop, "train")
    views = {
        each.name: load_views(shop.features, each, "train", shop.views)
        for each in shop.all_collections()
    }
    aside = {name: set_aside(own.names, config.aside) for name, own in views.items()}
    vocabularies = make_vocabularies(taught, aside, config)
    lessons = make_lessons(shop, taught, views, aside, vocabularies, config)
    network = network_for(next(iter(views.values())), vocabularies)
    model = train_captions(lessons, network, config, work=shop.work, progress=progress)
    save_half(model, shop.draft / "captions.safetensors")
    written = {code: _written(shop, code, own, taught) for code, own in vocabularies.items()}
    words = json.dumps(written, ensure_ascii=False, indent=0)
    (shop.draft / "words.json").write_text(words, encoding="utf-8")
    return {
        "captions": {
            "name": "lstm-polyglot",
            "file": "captions.safetensors",
            "vocabulary": "words.json",
            "config": network.to_json(),
            "languages": {
                code: _speech(model, code, vocabulary, _judged(code, taught, views, aside))
                for code, vocabulary in vocabularies.items()
            },
        }
    }


def captions_of(shop: Workshop, split: str) -> Taught:
    """Captions in every language that a collection has them in; English there must be."""
    return {
        (collection, language): collection.captions(split, lang=language)
        for collection in shop.all_collections()
        for language in SPECIAL
        if language == FIRST or collection.has_captions(language)
    }


def make_vocabularies(
    taught: Taught, aside: dict[str, set[str]], config: CaptionTraining
) -> dict[str, Vocabulary]:
    """The words of each language, from the photos that are trained on."""
    return {
        code: build_vocabulary(
            [
                text
                for (collection, language), own in taught.items()
                if language == code
                for name, texts in own.items()
                if name not in aside[collection.name]
                for text in texts
            ],
            language=code,
            fewest_uses=config.fewest_uses,
        )
        for code in SPECIAL
        if any(language == code for _, language in taught)
    }


def make_lessons(
    shop: Workshop,
    taught: Taught,
    views: dict[str, Views],
    aside: dict[str, set[str]],
    vocabularies: dict[str, Vocabulary],
    config: CaptionTraining,
) -> Lessons:
    """Everything that training may see."""
    folder = shop.data / "captions_text"
    loaded = [load_sentences(folder, k, v, seed=config.seed) for k, v in vocabularies.items()]
    tasks = []
    for (collection, language), own in taught.items():
        seen = {name: texts for name, texts in own.items() if name not in aside[collection.name]}
        mine, vocabulary = views[collection.name], vocabularies[language]
        tasks.append(make_task(collection.name, language, seen, mine, vocabulary))
    return Lessons([each for each in loaded if each], tasks)


def network_for(views: Views, vocabularies: dict[str, Vocabulary]) -> PolyglotConfig:
    """The decoder that fits the backbone's features."""
    cells, grid = views.grids[0].shape[1:]
    whole, classes = views.wholes[0].shape[1], views.logits.shape[1]
    config = PolyglotConfig({code: len(own.words) for code, own in vocabularies.items()})
    pooled = whole - classes - config.stride16
    return replace(config, grid=grid, cells=cells, pooled=pooled, classes=classes)


def describe(
    model: PolyglotDecoder, views: Views, rows: Sequence[int], language: str, beam: BeamConfig
) -> list[Found]:
    """Captions of the plain view of some photos."""
    found: list[Found] = []
    for start in range(0, len(rows), CALIBRATION_BATCH):
        photos = views.photos(np.asarray(rows[start : start + CALIBRATION_BATCH]))
        with torch.inference_mode():
            found += beam_search(model.speaker(language), model.look(photos), beam)
    return found


def beam_for(language: str, vocabulary: Vocabulary, base: BeamConfig = BEAM) -> BeamConfig:
    """The search of a language: special words are not said, and no caption ends in "with a"."""
    unfinal = _numbers(vocabulary, UNFINAL[language])
    forbidden = tuple(range(1, len(SPECIAL[language])))
    return replace(base, forbidden=forbidden, unfinal=tuple(unfinal))


Judged = list[tuple[Views, list[int], list[list[str]]]]


def _judged(
    code: str, taught: Taught, views: dict[str, Views], aside: dict[str, set[str]]
) -> Judged:
    """The photos that were set aside, with their captions in one language."""
    judged: Judged = []
    for (collection, language), own in taught.items():
        if language == code:
            mine, kept = views[collection.name], aside[collection.name]
            rows = [r for r, name in enumerate(mine.names) if name in kept and name in own]
            judged.append((mine, rows, [own[mine.names[row]] for row in rows]))
    return judged


def _speech(
    model: PolyglotDecoder, code: str, vocabulary: Vocabulary, judged: Judged
) -> dict[str, object]:
    """What the manifest says of a language: the search, and what its captions are worth."""
    beam, usual = beam_for(code, vocabulary), _numbers(vocabulary, FUNCTION_WORDS[code])
    found: list[Found] = []
    for views, rows, _ in judged:
        found += describe(model, views, rows, code, beam)
    weights = calibrate(
        found,
        np.concatenate([views.logits[rows].astype(np.float64) for views, rows, _ in judged]),
        [own for *_, captions in judged for own in captions],
        vocabulary.words,
        usual=usual,
    )
    return {"beam": asdict(beam), "confidence": {"usual": usual, "weights": weights}}


def _written(shop: Workshop, code: str, vocabulary: Vocabulary, taught: Taught) -> list[str]:
    """The words as they are shown. English ones are lower case but for names, so they stay."""
    if code == FIRST:
        return vocabulary.words
    files = [shop.data / "captions_text" / name for name in CORPORA[code]]
    texts = [line for file in files if file.is_file() for line in read_lines(file)]
    texts += [
        text
        for (_, language), own in taught.items()
        if language == code
        for mine in own.values()
        for text in mine
    ]
    return spellings(vocabulary, texts)


def _numbers(vocabulary: Vocabulary, words: frozenset[str] | set[str]) -> list[int]:
    return sorted(vocabulary.number_of[word] for word in words if word in vocabulary.number_of)
