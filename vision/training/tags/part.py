"""The tags of a version: a head for the words it can say, each with its threshold."""

import csv
import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from vision.collection import Collection
from vision.heads import EMBEDDERS
from vision.heads.colours import COLOURS
from vision.text_encoder import TextEncoder
from vision.training.distributed.world import current_world
from vision.training.publish import Draft
from vision.training.steps import Progress, silent
from vision.training.tags.head import TagTraining, TrainedTags, train_tags
from vision.training.tags.material import TagPhotos, single_mentions, tag_photos
from vision.training.tags.thresholds import NEVER
from vision.training.workshop import Parts, Workshop
from vision.versions import Version
from vision.vocabulary import Word, broader_words, hurtful_words, prompts, vocabulary

logger = logging.getLogger(__name__)

# Collections of one label a photo that teach words which captions seldom have, if they are there.
LABELLED = ("caltech101", "scenes")
# A person is likely enough to be spared hurtful words: kept low, as silence costs little.
PERSON_LIKELY = 0.1
PEOPLE = ("person", "face", "crowd", "hand")
COLOUR_THRESHOLD = 0.8
MOST = 8


def make_tags(
    shop: Workshop, draft: Draft, config: TagTraining, *, progress: Progress = silent
) -> Parts:
    """Train the tag head for the draft's backbone and embedding, into the draft.

    One process does it alone: it takes a minute.
    """
    if not current_world().is_first:
        return {}
    words = [word for word in vocabulary().values() if word.group != "colours"]
    version = draft.trial(shop.work / "trial-tags")
    photos = _photos(shop, version, [word.name for word in words])
    rates = _mention_rates(shop, words)
    encoded = encode_prompts(TextEncoder(version, threads=2), words)
    trained = train_tags(photos, words, encoded, rates, config, progress=progress)
    kept = words_to_ship(words, trained.thresholds)
    logger.info("trained words=%d said=%d", len(words), int((trained.thresholds < NEVER).sum()))
    _write_table(shop.draft / "tags.csv", words, kept, trained)
    save_file(_arrays(trained, kept), shop.draft / "tags.safetensors")
    return {
        "tags": {
            "name": "calibrated-words",
            "words": "tags.csv",
            "file": "tags.safetensors",
            "person_likely": PERSON_LIKELY,
            "most": MOST,
        }
    }


def encode_prompts(encoder: TextEncoder, words: Iterable[Word]) -> NDArray[np.float32]:
    """The mean embedding of each word's prompts, of unit norm, (words, 512)."""
    means = np.stack([encoder.encode(prompts(word)).mean(axis=0) for word in words])
    unit: NDArray[np.float32] = means / np.linalg.norm(means, axis=1, keepdims=True)
    return unit


def words_to_ship(words: list[Word], thresholds: NDArray[np.float32]) -> list[int]:
    """The numbers of words that are ever said, and of those by which people are noticed."""
    place = {word.name: number for number, word in enumerate(words)}
    said = set(np.flatnonzero(thresholds < NEVER).tolist())
    return sorted(said | {place[name] for name in PEOPLE})


def _photos(shop: Workshop, version: Version, words: list[str]) -> list[TagPhotos]:
    spec = version.part("embedding")
    embedder = EMBEDDERS[spec["name"]](version, spec, "cpu")
    captioned = [
        tag_photos(shop.features, each, "train", embedder=embedder, words=words, views=shop.views)
        for each in shop.all_collections()
    ]
    labelled = [Collection(shop.data / name) for name in LABELLED if (shop.data / name).is_dir()]
    for each in labelled:
        shop.features.extract(each, "train", ("plain",))
    return captioned + [
        tag_photos(shop.features, each, "train", embedder=embedder, words=words)
        for each in labelled
    ]


def _mention_rates(shop: Workshop, words: list[Word]) -> NDArray[np.float32]:
    """How often a caption names what another caption of the photo names; NaN if nobody knows."""
    names = [word.name for word in vocabulary().values()]
    kept = [names.index(word.name) for word in words]
    several = [
        np.array(single_mentions(each, "train", names), np.float32)[kept]
        for each in shop.all_collections()
        if max(map(len, each.captions("train").values())) > 1
    ]
    return several[0] if several else np.full(len(words), np.nan, np.float32)


def _write_table(path: Path, words: list[Word], kept: list[int], trained: TrainedTags) -> None:
    own = {words[number].name for number in kept}
    fold = trained.model.fold
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["word", "group", "broader", "classes", "threshold", "hurtful", "person"])
        for number in kept:
            word = words[number]
            table.writerow(
                [
                    word.name,
                    word.group,
                    next((above for above in broader_words(word.name) if above in own), ""),
                    _ranges(np.flatnonzero(fold[number]).tolist()),
                    round(float(trained.thresholds[number]), 4),
                    "yes" if word.name in hurtful_words() else "",
                    "yes" if word.name in PEOPLE else "",
                ]
            )
        for colour in COLOURS:
            table.writerow([colour, "colours", "", "", COLOUR_THRESHOLD, "", ""])


def _arrays(trained: TrainedTags, kept: list[int]) -> dict[str, NDArray[np.generic]]:
    model = trained.model
    return {
        "prompts": model.prompts[kept].astype(np.float16),
        "probe": model.probe[kept].astype(np.float16),
        "weights": model.weights[kept].astype(np.float32),
        "group": model.group[kept].astype(np.int32),
        "knots": model.knots,
        "values": model.values,
    }


def _ranges(indices: list[int]) -> str:
    """ "151 281-283" from sorted indices."""
    starts = [i for i in indices if i - 1 not in indices]
    ends = [i for i in indices if i + 1 not in indices]
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))
