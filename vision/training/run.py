"""`python -m vision.training.run --data DIR`: from photos and captions to a version folder.

Prints what it does and how far it is; interrupted, it goes on where it was.
"""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vision.evaluation.captions import captions
from vision.evaluation.retrieval import retrieval
from vision.eye import load_eye
from vision.text_encoder import load_text_encoder
from vision.training.captions import CaptionTraining
from vision.training.card import model_card
from vision.training.checkpoint import Progress, silent
from vision.training.embedding import EmbeddingTraining
from vision.training.pipeline import (
    Workshop,
    look_at_photos,
    make_backbone,
    make_captions,
    make_embedding,
)
from vision.training.publish import Draft, current_commit, data_fingerprint
from vision.training.tags import make_tags

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VersionTraining:
    """Everything that one version is made from."""

    name: str
    shop: Workshop
    to: Path
    embedding: EmbeddingTraining
    captions: CaptionTraining


def train_version(config: VersionTraining, *, progress: Progress = silent) -> Path:
    """Train every part and publish the version; its folder. Raises VisionError."""
    shop = config.shop
    draft = Draft.start(config.name, shop.backbone.parent)
    draft.parts["backbone"] = make_backbone(shop)
    look_at_photos(shop)
    embedding_parts, _ = make_embedding(shop, config.embedding, progress=progress)
    draft.parts |= embedding_parts
    draft.parts["captions"] = make_captions(shop, config.captions, progress=progress)
    draft.parts["tags"] = make_tags(draft.folder)
    trial = shop.work / "trial"
    metrics = measure(draft, trial, shop)
    card = model_card(
        name=config.name,
        collections=shop.collections,
        fingerprint=data_fingerprint(
            [path for c in shop.all_collections() for path in c.archives("train")]
        ),
        seed=config.embedding.seed,
        commit=current_commit(),
        settings=_settings(config),
        metrics=metrics,
    )
    return draft.publish(config.to, metrics=metrics, card=card)


def measure(draft: Draft, trial: Path, shop: Workshop) -> dict[str, Any]:
    """Publish to a trial folder and measure it as the product would run it."""
    import shutil

    shutil.rmtree(trial, ignore_errors=True)
    draft.publish(trial, metrics={}, card="")
    eye, text_encoder = load_eye(trial, device="cpu"), load_text_encoder(trial)
    return {
        collection.name: {
            "retrieval": retrieval(collection.folder, "dev", eye=eye, text_encoder=text_encoder),
            "captions": captions(collection.folder, "dev", eye=eye),
        }
        for collection in shop.all_collections()
    }


def _settings(config: VersionTraining) -> dict[str, Any]:
    return {
        f"{part} {key}": value
        for part, settings in {"embedding": config.embedding, "captions": config.captions}.items()
        for key, value in asdict(settings).items()
        if not isinstance(value, Path | dict)
    }
