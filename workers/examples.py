"""Looking at pictures that people search by. Somebody waits, so they come before photos."""

import logging
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

from django.db import DatabaseError

from vision.decoding import DecoderUnavailable, UnreadableImage
from webapp.examples.models import ExampleImage
from webapp.examples.services import fail_picture, store_embedding, waiting_pictures
from webapp.library.services.decoding import decoders
from webapp.teach.models import ModelVersion

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vision.eye import Eye
    from vision.sight import Image

logger = logging.getLogger(__name__)


def someone_waits(version: ModelVersion) -> bool:
    return ExampleImage.objects.waiting(version).exists()


def look_at_pictures(version: ModelVersion, eye: "Eye") -> int:
    """Look at every picture that waits. Returns how many have an embedding now."""
    return sum(_look(image, version, eye) for image in waiting_pictures(version))


def _look(image: ExampleImage, version: ModelVersion, eye: "Eye") -> bool:
    """One picture. What cannot be looked at says why and holds up nobody."""
    started = time.monotonic()
    try:
        pixels = _pixels(image, eye.input_size)
        embeddings = cast("NDArray[np.float32]", eye.see([pixels]).embeddings)
        store_embedding(image, version, embeddings[0])
    except (DecoderUnavailable, DatabaseError):
        raise  # not this picture's fault: it waits for another attempt
    except Exception as error:
        logger.error("picture_failed id=%d", image.pk, exc_info=error)
        fail_picture(image, _reason(error))
        return False
    logger.info("picture_seen id=%d seconds=%.2f", image.pk, time.monotonic() - started)
    return True


def _pixels(image: ExampleImage, size: int) -> "Image":
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "picture.webp"
        file.write_bytes(image.picture)
        rendering = decoders().render(file, network_size=size, thumbnails={})
    return cast("Image", rendering.pixels)


def _reason(error: Exception) -> str:
    if isinstance(error, UnreadableImage):
        return f"The picture cannot be read: {error.message}"
    return "The model failed on this picture. The worker's log says more."
