"""The Eye: one pass of the backbone feeds every head.

Imports torch, so only workers and training import this module.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray

from vision.backbones import BACKBONES
from vision.backbones.base import Backbone, Features
from vision.heads import (
    CAPTIONERS,
    CLASSIFIERS,
    EMBEDDERS,
    TAGGERS,
    Captioned,
    Captioner,
    Embedder,
    Tagger,
)
from vision.pixels import squash_batch
from vision.registry import Registry
from vision.second_look import SecondLook, second_look
from vision.sight import EVERYTHING, Image, Sight
from vision.versions import Version, classifiers_of, open_version

logger = logging.getLogger(__name__)

Part = TypeVar("Part")

# Photos in memory at once: 64 squashed photos with all their features are 22 MB.
LOOK_BATCH = 64


class Eye:
    """A model version ready to look. Build it with `load_eye`."""

    def __init__(
        self,
        *,
        version: str,
        backbone: Backbone,
        embed: Embedder,
        tag: Tagger,
        caption: Captioner,
        closer: SecondLook | None = None,
        classify: Sequence[Tagger] = (),
    ) -> None:
        self.version = version
        self.backbone = backbone
        self.embed = embed
        self.tag = tag
        self.caption = caption
        self.closer = closer
        self.classify = classify

    @property
    def input_size(self) -> int:
        """Side in pixels of the largest square that is looked at; larger photos gain nothing."""
        return max(self.backbone.input_size, self._pixels)

    @property
    def _pixels(self) -> int:
        """Side of the photos that heads with a network of their own look at; 0 without any."""
        heads = (self.embed, self.tag, self.caption, *self.classify)
        return max(getattr(head, "input_size", 0) for head in heads)

    def look(self, images: Sequence[Image], *, wanted: frozenset[str] = EVERYTHING) -> list[Sight]:
        """What is in each photo; photos are upright sRGB arrays of any size. Tags or captions that
        are not `wanted` are left empty.

        Raises BadImage when an array is no photo.
        """
        starts = range(0, len(images), LOOK_BATCH)
        return [sight for s in starts for sight in self._look(images[s : s + LOOK_BATCH], wanted)]

    def _look(self, images: Sequence[Image], wanted: frozenset[str]) -> list[Sight]:
        features = self.see(images)
        embeddings = cast("NDArray[np.float32]", features.embeddings)  # by `embedded`
        nothing = [Captioned("", 0.0, {})] * len(images)
        captions = self.caption(features) if "captions" in wanted else nothing
        tags = self.tags(features) if "tags" in wanted else [[] for _ in images]
        seen = zip(embeddings, tags, captions, strict=True)
        return [Sight(embedding, own, *caption) for embedding, own, caption in seen]

    def see(self, images: Sequence[Image]) -> Features:
        """What tags and captions are read from: features and embeddings. Photos whose tags hang by
        a hair are looked at twice."""
        features = self.embedded(self.features(images))
        if self.closer is None or not len(worth := self.closer.worth(features)):
            return features
        size = self.closer.backbone.input_size
        again = self.closer.backbone(squash_batch([images[number] for number in worth], size))
        return features.replaced(worth, self.embedded(again))

    def embedded(self, features: Features) -> Features:
        """Features with the embeddings, which the heads after it may read."""
        return replace(features, embeddings=self.embed(features))

    def tags(self, features: Features) -> list[list[tuple[str, float]]]:
        """Tags of photos that were seen, with those of the classifiers that were trained here."""
        tags = self.tag(features)
        for classify in self.classify:
            tags = [joined(*both) for both in zip(tags, classify(features), strict=True)]
        return tags

    def features(self, images: Sequence[Image]) -> Features:
        """What the heads read of photos, all of them in one pass."""
        features = self.backbone(squash_batch(images, self.backbone.input_size))
        if self._pixels:
            features = replace(features, pixels=squash_batch(images, self._pixels))
        return features


def joined(
    tags: Sequence[tuple[str, float]], more: Sequence[tuple[str, float]]
) -> list[tuple[str, float]]:
    """Tags of two heads, most probable first, each once."""
    best: dict[str, float] = {}
    for name, probability in (*tags, *more):
        best[name] = max(probability, best.get(name, 0.0))
    return sorted(best.items(), key=lambda tag: -tag[1])


def load_eye(version_or_folder: str | Path | None = None, *, device: str | None = None) -> Eye:
    """Load a version that ships, by name, or from any folder; None means the default version.

    `device` is torch's name for one; None takes a GPU if torch sees one. Raises WeightsError when
    a file is missing, altered, of another shape, or of a kind that is never opened.
    """
    version = open_version(version_or_folder)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")

    def load(registry: Registry[Callable[[Version, dict[str, Any], str], Part]], part: str) -> Part:
        spec = version.part(part)
        return registry[spec["name"]](version, spec, device)

    classify = [load(CLASSIFIERS, part) for part in classifiers_of(version)]  # small: first
    tag = load(TAGGERS, "tags")
    eye = Eye(
        version=version.name,
        backbone=load(BACKBONES, "backbone"),
        embed=load(EMBEDDERS, "embedding"),
        tag=tag,
        caption=load(CAPTIONERS, "captions"),
        closer=second_look(version, tag, device=device, threads=torch.get_num_threads()),
        classify=classify,
    )
    logger.info("loaded version=%s device=%s", version.name, device)
    return eye
