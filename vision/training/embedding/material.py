"""What an embedding learns from: descriptions of photos beside captions, words and labels."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vision.backbones.base import Features
from vision.collection import Collection
from vision.heads.image_head import ImageHeadConfig, describe
from vision.training.embedding.pairs import (
    PROMPTS,
    Captioned,
    Named,
    Photos,
    prompted,
    speaking_words,
)
from vision.training.embedding.sentences import caption_features, kept_features
from vision.training.embedding.towers import EmbeddingTraining, Lesson
from vision.training.features import PARTS, FeatureCache
from vision.training.workshop import Workshop

logger = logging.getLogger(__name__)

LABELLED = ("caltech101", "scenes")  # taken when they are in the data folder
CLASSES = Path(__file__).parent / "imagenet_classes.txt"
CHUNK = 512


@dataclass(frozen=True, slots=True)
class Material:
    """Everything a tower learns from, and what the merge and the text side need of it."""

    lessons: list[Lesson]
    photos: list[Photos]  # of the captioned collections
    captions: list[list[str]]  # each collection's, in the order of its sentence features
    sentences: list[Tensor]
    image: ImageHeadConfig
    names: NDArray[np.float32]  # (classes, E)
    words: list[str]  # those of captions and labels, in every prompt ...
    word_sentences: Tensor  # ... and their features (words * prompts, E)


def gather_material(shop: Workshop, config: EmbeddingTraining) -> Material:
    """Read or compute it all. Raises DataMissing."""
    names_CE = class_names(shop.sentence_encoder, shop.features.folder)
    captioned = shop.all_collections()
    labelled = [Collection(shop.data / n) for n in LABELLED if (shop.data / n).is_dir()]
    for each in labelled:
        shop.features.extract(each, "train", shop.views)
    photos = [_described(shop, each, names_CE) for each in captioned]
    streams = [_captioned(shop, each, own) for each, own in zip(captioned, photos, strict=True)]
    worded = [_worded(shop, each, own) for each, own in zip(captioned, photos, strict=True)]
    named = [_labelled(shop, each, names_CE) for each in labelled]
    words = [word for texts, _ in [*worded, *named] for word in texts]
    return Material(
        lessons=[
            *_shared(streams, config.captions),
            *_shared([stream for _, stream in worded], config.words),
            *_shared([stream for _, stream in named], config.labels),
        ],
        photos=photos,
        captions=[
            [text for texts in each.captions("train").values() for text in texts]
            for each in captioned
        ],
        sentences=[stream.sentences for stream in streams],
        image=image_config(shop.features, captioned[0], names_CE, hidden=config.tower.image_hidden),
        names=names_CE,
        words=words,
        word_sentences=torch.cat([s.sentences.flatten(0, 1) for _, s in [*worded, *named]]),
    )


def class_names(encoder: Path, cache: Path) -> NDArray[np.float32]:
    """Sentence features of the 1,000 class names of ImageNet, of unit norm, less their mean."""
    names = CLASSES.read_text("utf-8").splitlines()
    features = kept_features(names, "imagenet.names", encoder=encoder, cache=cache)
    features = features / np.linalg.norm(features, axis=1, keepdims=True)
    return features - features.mean(axis=0)


def described(
    cache: FeatureCache,
    collection: Collection,
    split: str,
    view: str,
    names_CE: NDArray[np.float32],
) -> NDArray[np.float16]:
    """Descriptions of a split's photos (photos, F), in archive order, kept beside the features."""
    kept = cache.root / collection.name / f"{split}.{view}.described.npy"
    if not kept.exists():
        parts = [cache.load(collection, split, part, view) for part in PARTS]
        temperatures = ImageHeadConfig().temperatures
        chunks = [
            describe(_features(parts, start), names_CE, temperatures).astype(np.float16)
            for start in range(0, len(parts[0]), CHUNK)
        ]
        np.save(kept, np.concatenate(chunks))
    return np.load(kept)


def image_config(
    cache: FeatureCache, collection: Collection, names_CE: NDArray[np.float32], **others: Any
) -> ImageHeadConfig:
    """Widths of what the cache holds, by its development photos."""
    parts = [cache.load(collection, "dev", part, "plain")[:1] for part in PARTS]
    return ImageHeadConfig.of(_features(parts, 0), name=names_CE.shape[1], **others)


def _features(parts: Sequence[NDArray[np.float16]], start: int) -> Features:
    return Features(*(part[start : start + CHUNK].astype(np.float32) for part in parts))


def _described(shop: Workshop, each: Collection, names_CE: NDArray[np.float32]) -> Photos:
    views = [described(shop.features, each, "train", view, names_CE) for view in shop.views]
    return Photos(views)


def _captioned(shop: Workshop, each: Collection, photos: Photos) -> Captioned:
    rows, start = {}, 0
    for name, texts in each.captions("train").items():
        rows[name] = np.arange(start, start + len(texts))
        start += len(texts)
    encoder, cache = shop.sentence_encoder, shop.features.folder
    sentences = caption_features(each, "train", encoder=encoder, cache=cache)
    names = shop.features.names(each, "train")
    return Captioned(photos, torch.from_numpy(sentences), [rows[name] for name in names])


def _worded(shop: Workshop, each: Collection, photos: Photos) -> tuple[list[str], Named]:
    captions = each.captions("train")
    words, own = speaking_words([captions[n] for n in shop.features.names(each, "train")])
    return words, Named(photos, own, _prompted(shop, words, f"{each.name}.words"))


def _labelled(
    shop: Workshop, each: Collection, names_CE: NDArray[np.float32]
) -> tuple[list[str], Named]:
    labels = each.labels("train") or {}
    names = sorted({name for own in labels.values() for name in own})
    number = {name: place for place, name in enumerate(names)}
    files = shop.features.names(each, "train")
    kept = [row for row, file in enumerate(files) if file in labels]
    photos = Photos([view[kept] for view in _described(shop, each, names_CE).views])
    own = [np.array([number[name] for name in labels[files[row]]]) for row in kept]
    return names, Named(photos, own, _prompted(shop, names, f"{each.name}.labels"), all_names=True)


def _prompted(shop: Workshop, names: Sequence[str], kept_as: str) -> Tensor:
    """Sentence features (names, prompts, E)."""
    encoder, cache = shop.sentence_encoder, shop.features.folder
    features = kept_features(prompted(names), kept_as, encoder=encoder, cache=cache)
    return torch.from_numpy(features).unflatten(0, (len(names), len(PROMPTS)))


def _shared(streams: Sequence[Captioned] | Sequence[Named], share: float) -> list[Lesson]:
    return [Lesson(stream, share / len(streams)) for stream in streams]
