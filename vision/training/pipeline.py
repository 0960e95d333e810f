"""The steps from data to the parts of a version, none done twice.

Steps keep what they made in a work folder and pick up from it, so a training that was interrupted
goes on. Each names what is missing when the data folder is not there.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vision.backbones.efficientnet import INPUT_SIZE, pretrained_lite2
from vision.collection import Collection
from vision.errors import DataMissing
from vision.evaluation.tag_truth import WORDS, read_words, truths, written_about
from vision.heads.beam import BeamConfig, beam_search
from vision.heads.captions import SPECIAL, START_FLICKR8K, CaptionConfig, CaptionDecoder
from vision.heads.tags import read_fold
from vision.training.backbone import calibration_photos, export_backbone
from vision.training.captions import (
    CaptionTraining,
    build_vocabulary,
    load_captioned_grids,
    train_captions,
)
from vision.training.checkpoint import Progress, silent
from vision.training.confidence import calibrate
from vision.training.embedding import EmbeddingTraining, load_pairs, train_embedding
from vision.training.features import VIEWS, FeatureCache
from vision.training.minilm import model_folder
from vision.training.publish import save_half
from vision.training.sentences import MAX_TOKENS, export_sentence_encoder, export_text_side
from vision.training.tags import TagCalibration, thresholds

Parts = dict[str, dict[str, Any]]


BEAM = BeamConfig(start=START_FLICKR8K, forbidden=tuple(range(1, len(SPECIAL))))
CALIBRATION_BATCH = 64


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where a training reads, works and what it trains on."""

    data: Path
    work: Path
    collections: tuple[str, ...] = ("flickr8k", "coco_wide")
    views: tuple[str, ...] = VIEWS

    def all_collections(self) -> list[Collection]:
        """Raises DataMissing when the data folder lacks one of them."""
        for name in self.collections:
            if not (self.data / name).is_dir():
                raise DataMissing(
                    f"There is no {name!r} in the data folder {self.data}. Training needs the "
                    f"collections {', '.join(self.collections)}; say where they are with --data."
                )
        return [Collection(self.data / name) for name in self.collections]

    def archives(self, split: str) -> list[Path]:
        return [path for each in self.all_collections() for path in each.archives(split)]

    @property
    def draft(self) -> Path:
        """Files of the version in the making."""
        return self.work / "draft"

    @property
    def backbone(self) -> Path:
        return self.draft / "backbone.int8.onnx"

    @property
    def sentence_encoder(self) -> Path:
        return self.work / "sentences.int8.onnx"

    @property
    def features(self) -> FeatureCache:
        return FeatureCache(self.work / "features", self.backbone, INPUT_SIZE)


def make_backbone(shop: Workshop) -> dict[str, Any]:
    """Export the backbone unless it is there; its specification."""
    if not shop.backbone.exists():
        shop.draft.mkdir(parents=True, exist_ok=True)
        photos = calibration_photos(shop.all_collections(), size=INPUT_SIZE)
        export_backbone(pretrained_lite2(), size=INPUT_SIZE, photos=photos, to=shop.backbone)
    return {
        "name": "efficientnet-lite2",
        "onnx": shop.backbone.name,
        "input_size": INPUT_SIZE,
    }


def look_at_photos(shop: Workshop) -> None:
    """Cache the features of every collection: all views to learn from, plain ones to judge by."""
    for collection in shop.all_collections():
        shop.features.extract(collection, "train", shop.views)
        shop.features.extract(collection, "dev", ("plain",))


def make_embedding(
    shop: Workshop, config: EmbeddingTraining, *, progress: Progress = silent
) -> Parts:
    """Train both towers into the draft."""
    encoder = shop.sentence_encoder
    if not encoder.exists():
        export_sentence_encoder(encoder)
    pairs = [
        load_pairs(shop.features, each, "train", encoder=encoder, views=shop.views)
        for each in shop.all_collections()
    ]
    model = train_embedding(pairs, config, work=shop.work, progress=progress)
    save_half(model.image, shop.draft / "embedding.safetensors")
    export_text_side(model.text, to=shop.draft / "text.int8.onnx")
    shutil.copyfile(model_folder() / "tokenizer.json", shop.draft / "tokenizer.json")
    return {
        "embedding": {
            "name": "linear",
            "file": "embedding.safetensors",
            "config": config.network.to_json(),
        },
        "text": {
            "name": "minilm-tower",
            "onnx": "text.int8.onnx",
            "tokenizer": "tokenizer.json",
            "max_tokens": MAX_TOKENS,
        },
    }


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


def make_tags(shop: Workshop, config: TagCalibration) -> Parts:
    """Copy the table of words into the draft and choose their thresholds."""
    shutil.copyfile(WORDS, shop.draft / "tags.csv")
    words, fold = read_words(), read_fold(WORDS.read_text("utf-8").splitlines())
    written, logits = [], []
    for each in shop.all_collections():
        written += written_about(each, "train", shop.features.names(each, "train"))
        logits.append(shop.features.load(each, "train", "logits", "plain").astype(np.float32))
    probabilities = fold.probabilities(np.concatenate(logits))
    return {
        "tags": {
            "name": "imagenet-fold",
            "words": "tags.csv",
            "thresholds": thresholds(words, probabilities, truths(words, written), config),
            "most": 8,
        }
    }
