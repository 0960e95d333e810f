"""Drawing heat maps, without torch: where on a photo a query finds what it asks for."""

import logging
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from django.db import DatabaseError

from vision.decoding import DecoderUnavailable, UnreadableImage
from vision.errors import WeightsError
from webapp.find.heat_maps import fail_heat_map, query_embedding, store_heat_map, waiting_heat_maps
from webapp.find.models import HeatMap
from webapp.library.models import Photo
from webapp.library.services.thumbnails import render_shown
from webapp.teach.services import weights_folder

if TYPE_CHECKING:
    from vision.heat import HeatMapper
    from vision.sight import Image

logger = logging.getLogger(__name__)

# Pixels of the long side. A map has some nine cells a side, so more would only be smoother.
LONG_SIDE = 256


@lru_cache(maxsize=1)
def load_mapper(folder: Path) -> "HeatMapper":
    """The network of this process, loaded when the first map is asked for."""
    from vision.heat import load_heat_mapper

    return load_heat_mapper(folder)


def draw_heat_maps(*, seconds: float, stopping: Callable[[], bool]) -> int:
    """Draw what people wait for, for about `seconds`. Returns how many maps were drawn."""
    until, drawn = time.monotonic() + seconds, 0
    for row in waiting_heat_maps():
        drawn += _draw(row)
        if stopping() or time.monotonic() > until:
            break
    return drawn


def _draw(row: HeatMap) -> bool:
    """One map. What cannot be drawn says why and holds up nobody."""
    started = time.monotonic()
    try:
        store_heat_map(row, _png(row))
    except (DecoderUnavailable, DatabaseError):
        raise  # no map's fault: this one waits for another attempt
    except Exception as error:
        fail_heat_map(row, _reason(row, error))
        return False
    logger.info("heat_map_drawn id=%d seconds=%.2f", row.pk, time.monotonic() - started)
    return True


def _png(row: HeatMap) -> bytes:
    from vision.heat import heat_png

    mapper = load_mapper(weights_folder(row.version))
    pixels = render_shown(row.photo, "large", network_size=mapper.input_size).pixels
    heat = mapper.map(cast("Image", pixels), query_embedding(row))
    return heat_png(heat, size=_size(row.photo))


def _reason(row: HeatMap, error: Exception) -> str:
    if isinstance(error, UnreadableImage):
        return f"The photo cannot be read: {error.message}"
    if isinstance(error, WeightsError):
        logger.warning("heat_map_impossible version=%s reason=%s", row.version.name, error)
        return "The model in use cannot say where on a photo it sees something."
    logger.error("heat_map_failed id=%d", row.pk, exc_info=error)
    return "Drawing the heat map failed. The worker's log says more."


def _size(photo: Photo) -> tuple[int, int]:
    """(width, height) of the map, shaped like the photo, so that nothing is stretched twice."""
    scale = LONG_SIDE / max(photo.width, photo.height)
    return max(1, round(photo.width * scale)), max(1, round(photo.height * scale))
