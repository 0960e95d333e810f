"""Text -> image and image -> text recall@k, by the code that the product runs."""

from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from vision.collection import Collection, read_tar
from vision.errors import DataMissing
from vision.evaluation.recall import image_to_text, text_to_image
from vision.eye import LOOK_BATCH, Eye
from vision.sight import Sight
from vision.text_encoder import TextEncoder

Seen = list[tuple[str, Sight]]


def retrieval(
    folder: Path,
    split: str,
    *,
    eye: Eye,
    text_encoder: TextEncoder,
    lang: str = "en",
    seen: Seen | None = None,
) -> dict[str, Any]:
    """Recall on a folder laid out as described in `vision.collection`. Raises DataMissing.

    `seen` is what `look_at_split` gave, if the photos were looked at already.
    """
    collection = Collection(folder)
    captions = collection.captions(split, lang=lang)
    seen = seen or look_at_split(collection, split, eye)
    names = [name for name, _ in seen]
    texts = [text for name in names for text in captions.get(name, [])]
    if not texts:
        raise DataMissing(f"No photo of the split {split!r} in {folder} has a caption.")
    photo_of_text = np.repeat(np.arange(len(names)), [len(captions.get(n, [])) for n in names])
    images = np.stack([sight.embedding for _, sight in seen])
    embedded = text_encoder.encode(texts), images, photo_of_text
    return {
        "photos": len(names),
        "queries": len(texts),
        "text_to_image": text_to_image(*embedded),
        "image_to_text": image_to_text(*embedded),
    }


def look_at_split(collection: Collection, split: str, eye: Eye) -> Seen:
    """Every photo of a split by name, with what the Eye sees in it."""
    photos = chain.from_iterable(read_tar(path) for path in collection.archives(split))
    seen: Seen = []
    while batch := list(islice(photos, LOOK_BATCH)):
        names, images = zip(*batch, strict=True)
        seen += zip(names, eye.look(images), strict=True)
    return seen
