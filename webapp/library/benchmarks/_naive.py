"""The naive way of taking a photo in: the whole of it, one at a time, the network for each head."""

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from vision.pixels import squash_batch
from vision.sight import Sight
from webapp.library.models import Photo
from webapp.library.services import claims
from webapp.library.services.thumbnails import SIZES, store_thumbnails
from webapp.library.storage import originals
from webapp.teach.models import ModelVersion
from webapp.teach.services import store_sights

if TYPE_CHECKING:
    from vision.eye import Eye

HOLDER = "naive"
PLACEHOLDER = (16, 16)


def take_in_all(version: ModelVersion, eye: "Eye") -> None:
    while photos := claims.claim_batch(HOLDER, size=1):
        take_in(photos[0], version, eye)


def take_in(photo: Photo, version: ModelVersion, eye: "Eye") -> None:
    with originals().open(photo.original_name) as file, Image.open(file) as stored:
        image = ImageOps.exif_transpose(stored).convert("RGB")
    store_thumbnails(photo.sha256, {name: _webp(image, box) for name, box in SIZES.items()})
    placeholder = _webp(image, PLACEHOLDER)[:400]
    store_sights(HOLDER, version, [(photo, look(image, eye))], {photo.pk: placeholder})


def look(image: Image.Image, eye: "Eye") -> Sight:
    """One pass of the backbone for each head."""
    pixels = squash_batch([np.asarray(image)], eye.input_size)
    (embedding,) = eye.embed(eye.backbone(pixels))
    (tags,) = eye.tag(eye.embedded(eye.backbone(pixels)))
    (caption,) = eye.caption(eye.embedded(eye.backbone(pixels)))
    return Sight(embedding, tags, *caption)


def _webp(image: Image.Image, box: tuple[int, int]) -> bytes:
    small = image.copy()
    small.thumbnail(box, Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    small.save(stream, "WEBP")
    return stream.getvalue()
