"""The embedding of a version: image head, and text side in the same space."""

import copy
import logging
from dataclasses import replace

import torch
from tokenizers import Tokenizer

from vision.heads.embedding import TextTower
from vision.heads.image_head import ImageHead
from vision.training.distributed.world import current_world
from vision.training.embedding.bilingual import train_bilingual
from vision.training.embedding.german_sentences import embedded, gather_lessons
from vision.training.embedding.joining import join_space
from vision.training.embedding.material import Material, gather_material
from vision.training.embedding.merging import merge
from vision.training.embedding.minilm import WIDTH, minilm_tokenizer, pretrained_minilm
from vision.training.embedding.sentences import (
    MAX_TOKENS,
    TextSide,
    export_sentence_encoder,
    export_text_side,
)
from vision.training.embedding.towers import EmbeddingTraining, Merging, Tower, train_tower
from vision.training.embedding.tracing import shipped_head
from vision.training.networks import DEFAULT_NETWORK
from vision.training.publish import save_half
from vision.training.steps import Progress, silent
from vision.training.workshop import Parts, Workshop
from vision.versions import open_version

logger = logging.getLogger(__name__)

MERGED_FROM = 20_000  # photos and texts that say which directions of an ensemble matter


def make_embedding(
    shop: Workshop, config: EmbeddingTraining, *, progress: Progress = silent
) -> Parts:
    """Train towers, merge them, teach the text side German; all into the draft.

    A backbone that is not the default one joins the space of the version that ships instead.
    """
    if shop.network != DEFAULT_NETWORK:
        joining = replace(config.joining, seed=config.seed)
        return join_space(shop, open_version(), joining, progress=progress)
    world = current_world()
    with world.one_by_one():
        if not shop.sentence_encoder.exists():
            export_sentence_encoder(shop.sentence_encoder)
        material = gather_material(shop, config)
    image, tower = merge_all(_towers(shop, material, config, progress), material, config.merging)
    text_side, tokenizer = _bilingual(shop, material, tower, config, progress)
    if not world.is_first:
        return {}
    generic_D = embedded(tower, torch.cat(material.sentences)).mean(axis=0)
    shipped = shipped_head(shop, image, material.names, generic_D)
    save_half(shipped, shop.draft / "embedding.safetensors")
    export_text_side(text_side, to=shop.draft / "text.int8.onnx")
    tokenizer.save(str(shop.draft / "tokenizer.json"), pretty=False)
    return {
        "embedding": {
            "name": "described",
            "file": "embedding.safetensors",
            "config": shipped.config.to_json(),
        },
        "text": {
            "name": "minilm-tower",
            "onnx": "text.int8.onnx",
            "tokenizer": "tokenizer.json",
            "max_tokens": MAX_TOKENS,
        },
    }


def merge_all(
    towers: list[Tower], material: Material, config: Merging
) -> tuple[ImageHead, TextTower]:
    """One head and one text tower that stand for all of them."""
    views = [each.views[0] for each in material.photos]
    share = MERGED_FROM // len(views)
    described = torch.cat([torch.from_numpy(view[-share:]).float() for view in views])
    sentences = torch.cat([each[-share:] for each in material.sentences])
    return merge(towers, described, sentences, material.image, config)


def _towers(
    shop: Workshop, material: Material, config: EmbeddingTraining, progress: Progress
) -> list[Tower]:
    towers = []
    for number in range(config.towers):
        own = replace(config.tower, seed=config.seed + number)
        tower = train_tower(
            material.lessons,
            material.image,
            own,
            photos=material.photos,
            text=WIDTH,
            work=shop.work,
            progress=progress,
        )
        towers.append(tower)
    return towers


def _bilingual(
    shop: Workshop,
    material: Material,
    tower: TextTower,
    config: EmbeddingTraining,
    progress: Progress,
) -> tuple[TextSide, Tokenizer]:
    """A text side that knows German, if there is German to learn from."""
    learning = copy.deepcopy(tower)  # the targets come from `tower`, which must stand still
    with current_world().one_by_one():
        lessons = gather_lessons(shop, material, learning, config.bilingual.words)
    if lessons is None:
        logger.info("no parallel sentences in %s: the text side stays English", shop.data.name)
        return TextSide(pretrained_minilm(), tower), minilm_tokenizer()
    own = replace(config.bilingual, seed=config.seed)
    trained = train_bilingual(
        lessons.text_side, lessons.german, lessons.english, own, work=shop.work, progress=progress
    )
    return trained, lessons.tokenizer
