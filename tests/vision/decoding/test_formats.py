"""A file is what its first bytes say, and only formats of the allow-list are let through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile.blocks import iso_box
from vision.decoding import UnreadableImage
from vision.decoding.errors import MESSAGES
from vision.decoding.formats import AVIF, BY_NAME, HEIF, Format, sniff


def brands(major: bytes, *compatible: bytes) -> bytes:
    return iso_box(b"ftyp", major + b"\0\0\0\0" + b"".join(compatible)) + b"\0" * 64


@pytest.mark.parametrize(
    ("head", "format"),
    [
        (brands(b"heic", b"mif1", b"heic"), HEIF),
        (brands(b"mif1", b"heic"), HEIF),
        (brands(b"avif", b"mif1", b"miaf"), AVIF),
        (brands(b"mif1", b"avif"), AVIF),
    ],
)
def test_brands_tell_heic_from_avif(head: bytes, format: Format) -> None:
    assert sniff(head) is format


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (brands(b"isom", b"mp41"), "a video"),
        (brands(b"qt  "), "a video"),
        (b"\x1aE\xdf\xa3", "a video"),
        (b"%PDF-1.7", "a PDF document"),
        (b"%!PS-Adobe-3.0", "a PostScript document"),
        (b"\xc5\xd0\xd3\xc6", "a PostScript document"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><svg>", "an SVG drawing"),
        (b"  \n<!DOCTYPE HTML>", "a web page"),
        (b"8BPS", "a Photoshop document"),
        (b"\0\0\x01\0", "an icon"),
        (b"\xff\x0a", "a JPEG XL picture"),
        (b"\0\0\0\x0cjP  \r\n", "a JPEG 2000 picture"),
    ],
)
def test_refusal_names_what_the_file_is(head: bytes, kind: str) -> None:
    with pytest.raises(UnreadableImage) as caught:
        sniff(head)
    assert caught.value.code == "unsupported_format"
    assert caught.value.message.startswith(f"The file is {kind}, which cannot be added;")


@pytest.mark.parametrize(
    "head", [brands(b"crx ", b"isom"), b"II*\0\x10\0\0\0CR\2\0", b"FUJIFILMCCD-RAW"]
)
def test_camera_raw_is_named(head: bytes) -> None:
    with pytest.raises(UnreadableImage) as caught:
        sniff(head)
    assert caught.value.code == "camera_raw"


@given(st.binary(max_size=64))
def test_any_bytes_are_a_known_format_or_refused_in_words(head: bytes) -> None:
    try:
        outcome: Format | UnreadableImage = sniff(head)
    except UnreadableImage as error:
        outcome = error
    if isinstance(outcome, Format):
        assert outcome.name in BY_NAME
    else:
        assert outcome.code in MESSAGES
        assert outcome.message.endswith(".")


def test_every_format_has_an_image_type() -> None:
    for format in BY_NAME.values():
        assert format.media_type.startswith("image/")
        assert "svg" not in format.media_type
