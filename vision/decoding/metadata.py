"""When, where and with what a photo was taken, from EXIF that may be wrong in any way.

A value that makes no sense is no value; it never makes the photo unreadable. Runs in the child.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, TypeVar

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

MAX_TEXT: Final = 100
_FIRST_PHOTOGRAPH: Final = 1826  # View from the Window at Le Gras
# EXIF writes 2026:11:24 06:48:00; some programs write dashes, slashes or a T.
_DATE: Final = re.compile(r"\s*(\d{4})[:/-](\d\d)[:/-](\d\d)[ T](\d\d):(\d\d):(\d\d)")
_OFFSET: Final = re.compile(r"([+-])(\d\d):(\d\d)")
_MAX_OFFSET_MINUTES: Final = 14 * 60  # Kiribati
# Best first: the shutter, then the scan of a print, then the last change of the file.
_DATES: Final = (
    (Base.DateTimeOriginal, Base.OffsetTimeOriginal),
    (Base.DateTimeDigitized, Base.OffsetTimeDigitized),
    (Base.DateTime, Base.OffsetTime),
)

T = TypeVar("T")
Tags = Mapping[int, Any]


def read_metadata(image: Image.Image) -> dict[str, Any]:
    """The fields of `Inspection` that come from metadata, ready for JSON."""
    main = _tolerate(lambda: dict(image.getexif())) or {}
    details = _tolerate(lambda: image.getexif().get_ifd(IFD.Exif)) or {}
    gps = _tolerate(lambda: image.getexif().get_ifd(IFD.GPSInfo)) or {}
    taken_at, offset = _taken_at({**main, **details}, datetime.now().year + 1)
    latitude, longitude = _tolerate(lambda: _place(gps)) or (None, None)
    return {
        "taken_at": taken_at.isoformat() if taken_at else None,
        "utc_offset_minutes": offset,
        "camera": _camera(_text(main.get(Base.Make)), _text(main.get(Base.Model))),
        "lens": _text(details.get(Base.LensModel)),
        "latitude": latitude,
        "longitude": longitude,
    }


def read_orientation(image: Image.Image) -> int:
    """How the decoded pixels lie: EXIF orientation 1 to 8; 1 for anything else."""
    if image.format in ("TIFF", "HEIF"):  # turned upright by their decoders
        return 1
    value = _tolerate(lambda: image.getexif().get(Base.Orientation))
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def tidy(text: str) -> str:
    """One short line without control, formatting or unassigned characters."""
    kept = "".join(" " if c.isspace() else c for c in text if c.isspace() or _is_visible(c))
    return " ".join(kept.split())[:MAX_TEXT].strip()


def _is_visible(character: str) -> bool:
    return not unicodedata.category(character).startswith("C")


def _text(value: object) -> str:
    """Text of a tag up to its first NUL; Pillow reads as Latin-1 what is mostly UTF-8."""
    if not isinstance(value, str):
        return ""
    text = value.split("\0")[0][: 8 * MAX_TEXT]
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return tidy(text)


def _tolerate(read: Callable[[], T]) -> T | None:
    # Pillow's reader fails in any way on hostile tags; the answer is always "not known".
    try:
        return read()
    except Exception:
        return None


def _taken_at(tags: Tags, last_year: int) -> tuple[datetime | None, int | None]:
    for date_tag, offset_tag in _DATES:
        date = _date(tags.get(date_tag), last_year)
        if date:
            return date, _offset_minutes(tags.get(offset_tag))
    return None, None


def _date(value: object, last_year: int) -> datetime | None:
    match = _DATE.match(value) if isinstance(value, str) else None
    if not match:
        return None
    try:
        date = datetime(*map(int, match.groups()))  # type: ignore[arg-type]
    except ValueError:
        return None
    return date if _FIRST_PHOTOGRAPH <= date.year <= last_year else None


def _offset_minutes(value: object) -> int | None:
    match = _OFFSET.match(value) if isinstance(value, str) else None
    if not match:
        return None
    sign, hours, minutes = match.groups()
    offset = int(hours) * 60 + int(minutes)
    if offset > _MAX_OFFSET_MINUTES or int(minutes) > 59:
        return None
    return -offset if sign == "-" else offset


def _camera(make: str, model: str) -> str:
    """One name: cameras often repeat the maker in the model ("Canon", "Canon EOS R5")."""
    if not make or not model:
        return make or model
    if model.split()[0].lower() == make.split()[0].lower():
        return model
    return f"{make} {model}"[:MAX_TEXT].strip()


def _place(gps: Tags) -> tuple[float | None, float | None]:
    latitude = _degrees(gps.get(GPS.GPSLatitude), gps.get(GPS.GPSLatitudeRef), "NS", 90)
    longitude = _degrees(gps.get(GPS.GPSLongitude), gps.get(GPS.GPSLongitudeRef), "EW", 180)
    if latitude is None or longitude is None:
        return None, None
    # Cameras without a fix write zeros; nobody took a photo exactly there.
    return (None, None) if latitude == longitude == 0 else (latitude, longitude)


def _degrees(value: Any, reference: object, letters: str, limit: int) -> float | None:
    parts = [float(part) for part in (value if isinstance(value, tuple) else (value,))]
    if len(parts) > 3 or not isinstance(reference, str):
        return None
    degrees = sum(part / 60**power for power, part in enumerate(parts))
    signs = {letters[0]: 1, letters[1]: -1}
    sign = signs.get(reference[:1].upper())
    if sign is None or not math.isfinite(degrees) or min(parts) < 0 or degrees > limit:
        return None
    return round(sign * degrees, 6)
