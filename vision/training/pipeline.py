"""From data to a version folder: every step as a function, none done twice.

Steps keep what they made in a work folder and pick up from it, so a training that was interrupted
goes on. Each names what is missing when the data folder is not there.
"""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision.backbones.efficientnet import INPUT_SIZE, pretrained_lite2
from vision.collection import Collection
from vision.errors import DataMissing
from vision.heads.captions import START_COCO_WIDE, START_FLICKR8K, UNKNOWN, CaptionConfig
from vision.training.backbone import calibration_photos, export_backbone
from vision.training.captions import (
    CaptionTraining,
    build_vocabulary,
    load_captioned_grids,
    train_captions,
)
from vision.training.checkpoint import Progress, silent
from vision.training.embedding import EmbeddingTraining, load_pairs, recall, train_embedding
from vision.training.features import VIEWS, FeatureCache
from vision.training.minilm import model_folder
from vision.training.publish import save_half
from vision.training.sentences import export_sentence_encoder, export_text_side

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where a training reads, works and what it trains on."""

    data: Path
    work: Path
    collections: tuple[str, ...] = ("flickr8k", "coco_wide")
    views: tuple[str, ...] = VIEWS

    def collection(self, name: str) -> Collection:
        """Raises DataMissing when the data folder has no such collection."""
        folder = self.data / name
        if not folder.is_dir():
            raise DataMissing(
                f"There is no {name!r} in the data folder {self.data}. Training needs the "
                "collections named in docs/training.md; say where they are with --data."
            )
        return Collection(folder)

    def all_collections(self) -> list[Collection]:
        return [self.collection(name) for name in self.collections]

    @property
    def backbone(self) -> Path:
        return self.work / "draft" / "backbone.int8.onnx"

    @property
    def sentence_encoder(self) -> Path:
        return self.work / "sentences.int8.onnx"

    @property
    def features(self) -> FeatureCache:
        return FeatureCache(self.work / "features", self.backbone, INPUT_SIZE)


def make_backbone(shop: Workshop) -> dict[str, Any]:
    """Export the backbone unless it is there; its part of the manifest."""
    if not shop.backbone.exists():
        shop.backbone.parent.mkdir(parents=True, exist_ok=True)
        photos = calibration_photos(shop.all_collections(), size=INPUT_SIZE)
        export_backbone(pretrained_lite2(), size=INPUT_SIZE, photos=photos, to=shop.backbone)
    return {
        "name": "efficientnet-lite2",
        "onnx": shop.backbone.name,
        "input_size": INPUT_SIZE,
    }


def look_at_photos(shop: Workshop) -> None:
    """Cache the features of every collection: all views for training, plain ones for judging."""
    for collection in shop.all_collections():
        shop.features.extract(collection, "train", shop.views)
        shop.features.extract(collection, "dev", ("plain",))


def make_embedding(
    shop: Workshop, config: EmbeddingTraining, *, progress: Progress = silent
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Train both towers into the draft; their parts of the manifest and figures on cached dev."""
    if not shop.sentence_encoder.exists():
        export_sentence_encoder(shop.sentence_encoder)
    collections = shop.all_collections()
    train = [
        load_pairs(shop.features, c, "train", encoder=shop.sentence_encoder, views=shop.views)
        for c in collections
    ]
    model = train_embedding(train, config, progress=progress)
    folder = shop.backbone.parent
    save_half(model.image, folder / "embedding.safetensors")
    export_text_side(model.text, to=folder / "text.int8.onnx")
    tokenizer = (model_folder() / "tokenizer.json").read_bytes()
    (folder / "tokenizer.json").write_bytes(tokenizer)
    figures = {
        c.name: recall(
            model,
            load_pairs(shop.features, c, "dev", encoder=shop.sentence_encoder, views=("plain",)),
        )
        for c in collections
    }
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
            "max_tokens": 128,
        },
    }, figures


def make_captions(
    shop: Workshop, config: CaptionTraining, *, progress: Progress = silent
) -> dict[str, Any]:
    """Train the caption decoder into the draft; its part of the manifest."""
    collections = shop.all_collections()
    texts = [t for c in collections for own in c.captions("train").values() for t in own]
    vocabulary = build_vocabulary(texts, fewest_uses=config.fewest_uses)
    data = [
        load_captioned_grids(shop.features, c, "train", vocabulary=vocabulary, views=shop.views)
        for c in collections
    ]
    network = CaptionConfig(vocabulary=len(vocabulary))
    model = train_captions(data, network, config, progress=progress)
    folder = shop.backbone.parent
    save_half(model, folder / "captions.safetensors")
    words = json.dumps(vocabulary, ensure_ascii=False, indent=0)
    (folder / "words.json").write_text(words, encoding="utf-8")
    return {
        "name": "lstm-attention",
        "file": "captions.safetensors",
        "vocabulary": "words.json",
        "config": network.to_json(),
        "beam": {
            "start": START_FLICKR8K,
            "forbidden": [UNKNOWN, START_FLICKR8K, START_COCO_WIDE],
            "width": 3,
            "max_words": 20,
            "length_power": 0.8,
        },
        "confidence": {"slope": 1.0, "offset": 0.0},
    }
