"""Check what a decoding process answers before anyone believes it.

Each function raises `wire.ProtocolError` for an answer that an honest child would not give.
"""

import logging
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np

from vision.decoding import wire
from vision.decoding.errors import MESSAGES
from vision.decoding.formats import Format
from vision.decoding.metadata import tidy
from vision.decoding.results import MAX_PLACEHOLDER_BYTES, Inspection, Rendering

logger = logging.getLogger(__name__)

_MAX_SIDE: Final = 2**31


def refusal(header: dict[str, Any]) -> str | None:
    """The code of an `UnreadableImage`, or None if the child decoded the file."""
    code = header.get("refused")
    if code is None:
        return None
    _require(isinstance(code, str) and code in MESSAGES)
    logger.info("refused code=%s cause=%s", code, _text(header.get("cause")))
    return str(code)


def inspection(header: dict[str, Any], format: Format) -> Inspection:
    width, height = _size(header)
    latitude, longitude = _degrees(header, "latitude", 90), _degrees(header, "longitude", 180)
    _require((latitude is None) == (longitude is None))
    return Inspection(
        format=format.name,
        media_type=format.media_type,
        width=width,
        height=height,
        taken_at=_date(header.get("taken_at")),
        utc_offset_minutes=_offset(header.get("utc_offset_minutes")),
        camera=_text(header.get("camera")),
        lens=_text(header.get("lens")),
        latitude=latitude,
        longitude=longitude,
    )


def rendering(
    header: dict[str, Any], blobs: Sequence[bytes], network_size: int | None, names: Sequence[str]
) -> Rendering:
    """`blobs`: pixels (maybe empty), placeholder, then one thumbnail for each of `names`."""
    _require(len(blobs) == 2 + len(names))
    width, height = _size(header)
    pixels, *webps = blobs
    _require(all(data[:4] == b"RIFF" and data[8:12] == b"WEBP" for data in webps))
    shape = (network_size or 0, network_size or 0, 3)
    _require(len(webps[0]) <= MAX_PLACEHOLDER_BYTES)
    _require(len(pixels) == math.prod(shape))
    return Rendering(
        width=width,
        height=height,
        pixels=np.frombuffer(pixels, np.uint8).reshape(shape) if network_size else None,
        thumbnails=dict(zip(names, webps[1:], strict=True)),
        placeholder=webps[0],
    )


def _require(condition: bool) -> None:
    if not condition:
        raise wire.ProtocolError("the answer is not one of a decoder")


def _integer(value: object, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise wire.ProtocolError("a number is out of range")
    return value


def _size(header: dict[str, Any]) -> tuple[int, int]:
    width, height = (_integer(header.get(side), 1, _MAX_SIDE) for side in ("width", "height"))
    return width, height


def _offset(value: object) -> int | None:
    return None if value is None else _integer(value, -14 * 60, 14 * 60)


def _text(value: object) -> str:
    if not isinstance(value, str) or value != tidy(value):
        raise wire.ProtocolError("a text is not tidy")
    return value


def _degrees(header: dict[str, Any], name: str, limit: int) -> float | None:
    value = header.get(name)
    if value is None:
        return None
    _require(isinstance(value, float) and abs(value) <= limit)
    return float(value)


def _date(value: object) -> datetime | None:
    if value is None:
        return None
    try:
        date = datetime.fromisoformat(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise wire.ProtocolError("a date is none") from error
    _require(date.tzinfo is None)
    return date
