"""Another backbone joins the space of the version that ships: its texts stay as they are.

So two versions share one text side, and a query means the same to both.
"""

import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vision.backbones.base import Features
from vision.collection import Collection
from vision.heads import EMBEDDERS
from vision.training.distributed.world import current_world
from vision.training.embedding.image_head import ImageHeadTraining, fit_image_head
from vision.training.embedding.material import class_names, described, image_config
from vision.training.embedding.sentences import export_sentence_encoder
from vision.training.embedding.tracing import shipped_head
from vision.training.features import PARTS, FeatureCache
from vision.training.publish import save_half
from vision.training.steps import Progress, silent
from vision.training.workshop import Parts, Workshop
from vision.versions import Version

CHUNK = 512


def join_space(
    shop: Workshop, base: Version, config: ImageHeadTraining, *, progress: Progress = silent
) -> Parts:
    """Fit an image head on the workshop's backbone to the embeddings of `base`, into the draft."""
    world, captioned = current_world(), shop.all_collections()
    with world.one_by_one():
        if not shop.sentence_encoder.exists():
            export_sentence_encoder(shop.sentence_encoder)
        names_CE = class_names(shop.sentence_encoder, shop.features.folder)
        views = [
            np.concatenate([described(shop.features, c, "train", v, names_CE) for c in captioned])
            for v in shop.views
        ]
        targets_ND = np.concatenate([_embeddings(shop, base, each) for each in captioned])
    image = image_config(shop.features, captioned[0], names_CE, hidden=config.hidden)
    head = fit_image_head(views, targets_ND, image, config, work=shop.work, progress=progress)
    if not world.is_first:
        return {}
    generic_D = _generic(base)
    shipped = shipped_head(shop, head, names_CE, generic_D)
    save_half(shipped, shop.draft / "embedding.safetensors")
    text = base.part("text")
    for file in (text["onnx"], text["tokenizer"]):
        shutil.copyfile(base.path(file), shop.draft / file)
    spec = {"name": "described", "file": "embedding.safetensors"}
    return {"embedding": spec | {"config": shipped.config.to_json()}, "text": text}


def _embeddings(shop: Workshop, base: Version, collection: Collection) -> NDArray[np.float32]:
    """What `base` makes of training photos, (photos, dim): the mean over the views."""
    spec = base.part("backbone")
    cache = FeatureCache(_shared(shop) / "features", base.path(spec["onnx"]), spec["input_size"])
    cache.extract(collection, "train", shop.views)
    embed = EMBEDDERS[base.part("embedding")["name"]](base, base.part("embedding"), "cpu")
    by_view = []
    for view in shop.views:
        parts = [cache.load(collection, "train", part, view) for part in PARTS]
        chunks = [
            embed(Features(*(p[start : start + CHUNK].astype(np.float32) for p in parts)))
            for start in range(0, len(parts[0]), CHUNK)
        ]
        by_view.append(np.concatenate(chunks))
    embeddings: NDArray[np.float32] = np.sum(by_view, axis=0)
    return embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)


def _shared(shop: Workshop) -> Path:
    """The work folder of the default network, which holds the features that heads learn from."""
    return shop.work.parent


def _generic(base: Version) -> NDArray[np.float32]:
    spec = base.part("embedding")
    arrays = base.arrays(spec["file"]) if spec["name"] == "described" else {}
    return np.asarray(arrays.get("generic", np.zeros(spec["config"]["embed_dim"])), np.float32)
