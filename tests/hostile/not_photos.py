"""Files that are something else than their name says."""

import io
import zipfile

from tests.hostile.blocks import ifd, iso_box, long, short
from tests.hostile.sample import HostileFile, encode, picture, refused

PAGE = b"<!doctype html><html><body><script>alert(document.cookie)</script></body></html>\n"
DRAWING = (
    b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">'
    b"<script>alert(document.domain)</script></svg>\n"
)
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%id) (r) file pop\nshowpage\n%%EOF\n"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
VIDEO = iso_box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41") + iso_box(b"mdat", b"\0" * 256)
_PICTURE_HANDLER = iso_box(b"hdlr", b"\0" * 8 + b"pict" + b"\0" * 13)


def archive() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr(zipfile.ZipInfo("readme.txt"), "not a photo")
    return stream.getvalue()


def not_photos() -> list[HostileFile]:
    other = "unsupported_format"
    return [
        refused("empty", "empty.jpg", b"", "0 bytes"),
        refused("not_an_image", "one_byte.png", b"\x89", "1 byte"),
        refused("not_an_image", "text.jpg", b"Dear diary,\n" * 60, "plain text"),
        refused("not_an_image", "zeros.jpg", b"\0" * 4096, "nothing but zeros"),
        refused(other, "page.png", PAGE, "a web page with a script"),
        refused(other, "drawing.svg", DRAWING, "an SVG that runs a script"),
        refused(other, "drawing.png", DRAWING, "an SVG under another name"),
        refused(other, "paper.jpg", PDF, "a PDF"),
        refused(other, "postscript.jpg", EPS, "PostScript, for which some readers run a program"),
        refused(other, "archive.heic", archive(), "a ZIP archive"),
        refused(other, "video.heic", VIDEO, "an MP4"),
        refused(
            "damaged", "page.gif", b"GIF89a/*" + PAGE + b"*/=0;", "a script that begins as GIF"
        ),
        *_headers_only(),
        *_raw_files(),
    ]


def _headers_only() -> list[HostileFile]:
    heic = iso_box(b"ftyp", b"heic\0\0\0\0mif1heic")
    avif = iso_box(b"ftyp", b"avif\0\0\0\0avifmif1miaf")
    meta = iso_box(b"meta", b"\0\0\0\0" + _PICTURE_HANDLER, claims=65536)
    return [
        refused("damaged", "header_only.heic", heic + meta, "HEIC whose meta box is cut"),
        refused("damaged", "header_only.avif", avif + meta, "AVIF whose meta box is cut"),
        refused("damaged", "brand_only.heic", heic, "HEIC without any box but the first"),
    ]


def _raw_files() -> list[HostileFile]:
    """Camera raw files are TIFFs whose first page is a thumbnail."""
    preview = encode(picture(), "TIFF", tiffinfo={254: 1})
    negative = b"II*\0\x08\0\0\0" + ifd([short(256, 1), short(257, 1), long(50706, 0x401)], 8)
    return [
        refused("camera_raw", "preview.tif", preview, "TIFF that says it is a reduced copy"),
        refused("damaged", "negative.tif", negative, "DNG without a picture"),
        refused("camera_raw", "canon.jpg", b"II*\0\x10\0\0\0CR\2\0" + b"\0" * 64, "Canon CR2"),
    ]
