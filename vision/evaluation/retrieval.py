"""Text -> image and image -> text recall@k, by the code that the product runs."""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.collection import Collection
from vision.errors import DataMissing
from vision.evaluation.recall import image_to_text, text_to_image
from vision.eye import LOOK_BATCH, Eye
from vision.sight import EVERYTHING, Sight
from vision.text_encoder import TextEncoder

Seen = list[tuple[str, Sight]]
Captions = Sequence[Sequence[str]]  # of each photo, in the order in which they were seen
Embeddings = NDArray[np.float32]


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
    german = collection.captions_if_any(split, lang="de") if lang == "en" else {}
    written = collection.captions_if_any(split) if german else collection.captions(split, lang=lang)
    seen = seen or look_at_split(collection, split, eye)
    captions, every = _by_photo(written, seen), _by_photo(german, seen)
    if not any(captions) and not any(every):
        raise DataMissing(f"No photo of the split {split!r} in {folder} has a caption.")
    images = np.stack([sight.embedding for _, sight in seen])
    figures: dict[str, Any] = {"photos": len(seen)}
    if any(captions):
        texts, photo_of_text = _asked(captions, text_encoder)
        figures |= {
            "queries": len(texts),
            "text_to_image": text_to_image(texts, images, photo_of_text),
            "image_to_text": image_to_text(texts, images, photo_of_text),
        }
    if any(every):
        translated = collection.captions_if_any(split, lang="de", kind="translation")
        twins = _by_photo(translated, seen)
        figures["german"] = _german(every, twins, captions, images, text_encoder)
    return figures


def _german(
    every: Captions,
    translated: Captions,
    english: Captions,
    images: Embeddings,
    text_encoder: TextEncoder,
) -> dict[str, Any]:
    """Sentences that translate an English one, where there are such (and the table tells them from
    those that somebody wrote of the photo alone), with the English ones of the same photos as
    `twin`; else all. `everything` is of all."""
    texts, photo_of_text = _asked(every, text_encoder)
    of_all = text_to_image(texts, images, photo_of_text)
    both = [bool(ours and theirs) for ours, theirs in zip(translated, english, strict=True)]
    if not any(both):
        photos = sum(map(bool, every))
        return {"photos": photos, "queries": len(texts), "text_to_image": of_all}
    found = []
    for captions in (translated, english):
        kept = [own if here else [] for own, here in zip(captions, both, strict=True)]
        texts, photo_of_text = _asked(kept, text_encoder)
        found.append((len(texts), text_to_image(texts, images, photo_of_text)))
    (queries, of_german), (_, of_english) = found
    return {
        "photos": sum(both),
        "queries": queries,
        "text_to_image": of_german,
        "twin": of_english,
        "everything": of_all,
    }


def _by_photo(captions: Mapping[str, list[str]], seen: Seen) -> Captions:
    return [captions.get(name, []) for name, _ in seen]


def _asked(captions: Captions, text_encoder: TextEncoder) -> tuple[Embeddings, NDArray[np.int64]]:
    """Embeddings of all captions, and the photo (its place) that each belongs to."""
    texts = [text for own in captions for text in own]
    return text_encoder.encode(texts), np.repeat(np.arange(len(captions)), list(map(len, captions)))


def look_at_split(
    collection: Collection, split: str, eye: Eye, *, wanted: frozenset[str] = EVERYTHING
) -> Seen:
    """Every photo of a split by name, with what the Eye sees in it."""
    photos = collection.photos(split)
    seen: Seen = []
    while batch := list(islice(photos, LOOK_BATCH)):
        names, images = zip(*batch, strict=True)
        seen += zip(names, eye.look(images, wanted=wanted), strict=True)
    return seen
