"""The caption decoder of a version, with what its confidence is worth."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import torch

from vision.heads.beam import BeamConfig, beam_search
from vision.heads.captions import SPECIAL, START_FLICKR8K, CaptionConfig, CaptionDecoder
from vision.training.captions import (
    CaptionTraining,
    build_vocabulary,
    load_captioned_grids,
    train_captions,
)
from vision.training.checkpoint import Progress, silent
from vision.training.confidence import calibrate
from vision.training.publish import save_half
from vision.training.workshop import Parts, Workshop

BEAM = BeamConfig(start=START_FLICKR8K, forbidden=tuple(range(1, len(SPECIAL))))
CALIBRATION_BATCH = 64


def make_captions(shop: Workshop, config: CaptionTraining, *, progress: Progress = silent) -> Parts:
    """Train the caption decoder into the draft."""
    collections = shop.all_collections()
    texts = [t for c in collections for own in c.captions("train").values() for t in own]
    vocabulary = build_vocabulary(texts, fewest_uses=config.fewest_uses)
    data = [
        load_captioned_grids(shop.features, c, "train", vocabulary=vocabulary, views=shop.views)
        for c in collections
    ]
    network = CaptionConfig(vocabulary=len(vocabulary))
    model = train_captions(data, network, config, work=shop.work, progress=progress)
    save_half(model, shop.draft / "captions.safetensors")
    words = json.dumps(vocabulary, ensure_ascii=False, indent=0)
    (shop.draft / "words.json").write_text(words, encoding="utf-8")
    return {
        "captions": {
            "name": "lstm-attention",
            "file": "captions.safetensors",
            "vocabulary": "words.json",
            "config": network.to_json(),
            "beam": asdict(BEAM),
            "confidence": _confidence(shop, model, vocabulary),
        }
    }


def _confidence(
    shop: Workshop, model: CaptionDecoder, vocabulary: Sequence[str]
) -> dict[str, float]:
    """What the decoder's probabilities are worth on development photos."""
    captions, references = [], []
    for each in shop.all_collections():
        grids, pooled = (shop.features.load(each, "dev", p, "plain") for p in ("grid", "pooled"))
        for start in range(0, len(grids), CALIBRATION_BATCH):
            rows = slice(start, start + CALIBRATION_BATCH)
            grid_BNC = torch.from_numpy(grids[rows]).float().flatten(1, 2)
            found = beam_search(model, grid_BNC, torch.from_numpy(pooled[rows]).float(), BEAM)
            captions += [([vocabulary[word] for word in words], mean) for words, mean in found]
        own = each.captions("dev")
        references += [own[name] for name in shop.features.names(each, "dev")]
    return calibrate(captions, references, vocabulary)
