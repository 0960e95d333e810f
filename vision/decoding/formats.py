"""The formats that may be decoded, told apart by their first bytes and never by a file's name."""

from dataclasses import dataclass
from typing import Final

from vision.decoding.errors import UnreadableImage

# Long enough for the brands of an ISO media file (HEIC, AVIF, MP4).
HEAD_BYTES: Final = 256


@dataclass(frozen=True, slots=True)
class Format:
    """A format on the allow-list; `name` is also what Pillow calls its decoder."""

    name: str
    media_type: str
    extension: str


JPEG = Format("JPEG", "image/jpeg", ".jpg")
PNG = Format("PNG", "image/png", ".png")
WEBP = Format("WEBP", "image/webp", ".webp")
GIF = Format("GIF", "image/gif", ".gif")
AVIF = Format("AVIF", "image/avif", ".avif")
HEIF = Format("HEIF", "image/heic", ".heic")
TIFF = Format("TIFF", "image/tiff", ".tif")
BMP = Format("BMP", "image/bmp", ".bmp")

BY_NAME: Final = {f.name: f for f in (JPEG, PNG, WEBP, GIF, AVIF, HEIF, TIFF, BMP)}

_SIGNATURES: Final[tuple[tuple[bytes, Format], ...]] = (
    (b"\xff\xd8", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"BM", BMP),
)
_TIFF_SIGNATURES: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_RAW_SIGNATURES: Final = (b"IIRO", b"IIRS", b"IIU\0", b"FUJIFILMCCD-RAW", b"FOVb")
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_HEIF_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
)
# Refused, but recognised, so that the message can say what the file is.
_OTHERS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"8BPS", "a Photoshop document"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\x01\0", "an icon"),
    (b"\x1aE\xdf\xa3", "a video"),
)


def sniff(head: bytes) -> Format:
    """Tell a file's format from its first `HEAD_BYTES` bytes.

    Raises `UnreadableImage` (empty, not_an_image, unsupported_format, camera_raw).
    """
    if not head:
        raise UnreadableImage("empty")
    for signature, found in _SIGNATURES:
        if head.startswith(signature):
            return found
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp":
        return _sniff_iso_media(head)
    if head.startswith(_RAW_SIGNATURES) or (head.startswith(b"II*\0") and head[8:10] == b"CR"):
        raise UnreadableImage("camera_raw")
    if head.startswith(_TIFF_SIGNATURES):
        return TIFF
    raise _refusal(head)


def _sniff_iso_media(head: bytes) -> Format:
    end = min(int.from_bytes(head[:4]), len(head))
    brands = {head[8:12], *(head[i : i + 4] for i in range(16, end - 3, 4))}
    if brands & _AVIF_BRANDS:
        return AVIF
    if brands & _HEIF_BRANDS:
        return HEIF
    if b"crx " in brands:
        raise UnreadableImage("camera_raw")
    raise UnreadableImage("unsupported_format", kind="a video")


def _refusal(head: bytes) -> UnreadableImage:
    for signature, kind in _OTHERS:
        if head.startswith(signature):
            return UnreadableImage("unsupported_format", kind=kind)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in text:
        return UnreadableImage("unsupported_format", kind="an SVG drawing")
    if text.startswith((b"<!doctype html", b"<html")):
        return UnreadableImage("unsupported_format", kind="a web page")
    return UnreadableImage("not_an_image")
