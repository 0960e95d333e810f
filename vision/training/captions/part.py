"""The caption decoder of a version, with what its confidence is worth."""

import json
from dataclasses import replace

from torch import nn

from vision.heads.polyglot import FIRST, SPECIAL, PolyglotConfig
from vision.training.captions.data import (
    CORPORA,
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
from vision.training.captions.decoder import CaptionTraining, Lessons, train_captions
from vision.training.captions.gists import GistTraining
from vision.training.captions.speech import (
    JUDGING,
    Taught,
    learn_gist,
    set_aside_to_judge,
    speech,
)
from vision.training.distributed.world import current_world
from vision.training.publish import Draft, save_half
from vision.training.steps import Progress, silent
from vision.training.workshop import Parts, Workshop


def make_captions(
    shop: Workshop, draft: Draft, config: CaptionTraining, *, progress: Progress = silent
) -> Parts:
    """Train the caption decoder, and the gists by which the draft's embedding judges captions,
    into the draft."""
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
    if not current_world().is_first:
        return {}
    save_half(model, shop.draft / "captions.safetensors")
    written = {code: _written(shop, code, own, taught) for code, own in vocabularies.items()}
    words = json.dumps(written, ensure_ascii=False, indent=0)
    (shop.draft / "words.json").write_text(words, encoding="utf-8")
    version = draft.trial(shop.work / "trial-captions")
    gists, languages = nn.ModuleDict(), {}
    for code, own in vocabularies.items():
        gists[code] = gist = learn_gist(version, code, own, taught, GistTraining(seed=config.seed))
        judged = set_aside_to_judge(
            shop.features, version, code, taught=taught, views=views, aside=aside
        )
        languages[code] = speech(model, gist, code, own, judged)
    save_half(gists, shop.draft / "gists.safetensors")
    texts = version.manifest["files"][version.part("text")["onnx"]]["sha256"]
    return {
        "captions": {
            "name": "lstm-polyglot",
            "file": "captions.safetensors",
            "vocabulary": "words.json",
            "gists": "gists.safetensors",
            "judging": {"weight": JUDGING, "texts": texts},
            "config": network.to_json(),
            "languages": languages,
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
