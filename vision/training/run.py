"""`python -m vision.training.run all --data DIR`: from photos and captions to a version folder.

Says what it does and how far it is; interrupted, it goes on where it was.
"""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vision.collection import Collection
from vision.errors import VisionError
from vision.evaluation.captions import captions
from vision.evaluation.retrieval import look_at_split, retrieval
from vision.evaluation.tags import tags
from vision.eye import Eye, load_eye
from vision.text_encoder import TextEncoder, load_text_encoder
from vision.training.captions.decoder import CaptionTraining
from vision.training.captions.part import make_captions
from vision.training.card import model_card
from vision.training.distributed.world import current_world, joined
from vision.training.embedding.part import make_embedding
from vision.training.embedding.towers import EmbeddingTraining
from vision.training.networks import DEFAULT_NETWORK, NETWORKS
from vision.training.publish import Draft, current_commit, data_fingerprint
from vision.training.steps import Progress, silent
from vision.training.tags.head import TagTraining
from vision.training.tags.part import make_tags
from vision.training.workshop import Workshop, look_at_photos, make_backbone, workshop
from vision.versions import DEFAULT_VERSION, Version, open_version

logger = logging.getLogger(__name__)

DATA = Path("../shared/data")


@dataclass(frozen=True, slots=True)
class VersionTraining:
    """Everything that one version is made from; `base` lends the parts that are not trained."""

    name: str
    shop: Workshop
    to: Path
    parts: tuple[str, ...]
    base: Version | None = None
    embedding: EmbeddingTraining = field(default_factory=EmbeddingTraining)
    captions: CaptionTraining = field(default_factory=CaptionTraining)
    tags: TagTraining = field(default_factory=TagTraining)


Maker = Callable[[VersionTraining, Draft, Progress], dict[str, dict[str, Any]]]

# What `train NAME` can be asked for. Each returns the parts of the manifest that it made;
# what the draft has already is there to build on.
TRAININGS: dict[str, Maker] = {
    "embedding": lambda c, _, progress: make_embedding(c.shop, c.embedding, progress=progress),
    "captions": lambda c, draft, progress: make_captions(
        c.shop, draft, c.captions, progress=progress
    ),
    "tags": lambda c, draft, progress: make_tags(c.shop, draft, c.tags, progress=progress),
}


def train_version(config: VersionTraining, *, progress: Progress = silent) -> Path:
    """Train the parts and publish the version; its folder. Raises VisionError.

    Of several processes all train, and the first publishes.
    """
    shop, world = config.shop, current_world()
    shop.all_collections()  # say what is missing before anything is done
    with world.one_by_one():
        draft = Draft.start(config.name, shop.draft, base=config.base)
        draft.parts["backbone"] = make_backbone(shop)
        look_at_photos(shop)
    for part in config.parts:
        logger.info("training part=%s", part)
        draft.parts |= TRAININGS[part](config, draft, progress)
    if not world.is_first:
        return config.to
    metrics = measure(draft, shop)
    card = model_card(
        name=config.name,
        collections=shop.collections,
        fingerprint=data_fingerprint(shop.archives("train")),
        seed=config.embedding.seed,
        commit=current_commit(),
        settings=_settings(config),
        metrics=metrics,
    )
    return draft.publish(config.to, metrics=metrics, card=card)


def measure(draft: Draft, shop: Workshop) -> dict[str, Any]:
    """Publish to a trial folder and measure development photos as the product would see them."""
    trial = draft.trial(shop.work / "trial").folder
    eye, text_encoder = load_eye(trial, device="cpu"), load_text_encoder(trial)
    return {each.name: _measure(each, eye, text_encoder) for each in shop.all_collections()}


def _measure(collection: Collection, eye: Eye, text_encoder: TextEncoder) -> dict[str, Any]:
    """Every figure of one collection, from one look at its photos."""
    folder, seen = collection.folder, look_at_split(collection, "dev", eye)
    return {
        "retrieval": retrieval(folder, "dev", eye=eye, text_encoder=text_encoder, seen=seen),
        "captions": captions(folder, "dev", eye=eye, seen=seen),
        "tags": tags(folder, "dev", eye=eye, seen=seen),
    }


def plan(arguments: Sequence[str]) -> VersionTraining:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m vision.training.run", description=__doc__)
    parser.add_argument("part", choices=["all", *TRAININGS], help="what to train")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with the collections")
    parser.add_argument(
        "--work", type=Path, default=Path("data/training"), help="kept between runs"
    )
    parser.add_argument("--name", default="candidate", help="name of the new version")
    parser.add_argument("--to", type=Path, help="folder of the new version (default: WORK/NAME)")
    parser.add_argument(
        "--base", default=DEFAULT_VERSION, help="version that lends the other parts"
    )
    parser.add_argument(
        "--backbone", choices=list(NETWORKS), default=DEFAULT_NETWORK, help="network of all heads"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    return VersionTraining(
        name=options.name,
        shop=workshop(options.data, options.work, options.backbone),
        to=options.to or options.work / options.name,
        parts=tuple(TRAININGS) if options.part == "all" else (options.part,),
        base=None if options.part == "all" else open_version(options.base),
        embedding=EmbeddingTraining(seed=options.seed),
        captions=CaptionTraining(seed=options.seed),
    )


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 and the new folder on stdout, or 1 and the reason on stderr."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("vision").setLevel(logging.INFO)
    try:
        with joined():
            folder = train_version(plan(arguments))
    except VisionError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{folder}\n")
    return 0


def _settings(config: VersionTraining) -> dict[str, Any]:
    """Of what was trained, and where the rest is from."""
    settings = {
        f"{part} {key}": value
        for part in config.parts
        for key, value in asdict(getattr(config, part)).items()
    }
    return settings | ({"other parts from": config.base.name} if config.base else {})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
