"""A child that was taken over can say anything; the parent believes nothing that is not checked."""

import io
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.decoding import answers, wire
from vision.decoding.formats import JPEG

HONEST: dict[str, Any] = {
    "width": 4000,
    "height": 3000,
    "taken_at": "2025-07-14T18:30:05",
    "utc_offset_minutes": 120,
    "camera": "Acme One",
    "lens": "",
    "latitude": 52.5,
    "longitude": 13.4,
}
WEBP = b"RIFF\x04\0\0\0WEBP"


def reader(data: bytes) -> wire.Read:
    stream = io.BytesIO(data)

    def read(size: int) -> bytes:
        part = stream.read(size)
        if len(part) < size:
            raise EOFError
        return part

    return read


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=4), st.lists(st.binary(), max_size=4))
def test_what_is_packed_is_unpacked(header: dict[str, Any], blobs: list[bytes]) -> None:
    assert wire.unpack(reader(b"".join(wire.pack(header, blobs)))) == (header, blobs)


@given(st.binary(max_size=64))
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises((wire.ProtocolError, EOFError)):
        wire.unpack(reader(data))


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff",  # a header of 4 GB
        b"\0\0\0\2{}\xff\xff\xff\xff",  # 4 billion blobs
        b"\0\0\0\2{}\0\0\0\1\xff\xff\xff\xff",  # a blob of 4 GB
        b"\0\0\0\2[]\0\0\0\0",
        b'\0\0\0\x0b{"a": NaN}\0\0\0\0',
        b"\0\0\xff\xff" + b"[" * 0xFFFF + b"\0\0\0\0",
    ],
)
def test_hostile_message_is_refused_before_it_costs_anything(data: bytes) -> None:
    with pytest.raises(wire.ProtocolError):
        wire.unpack(reader(data))


def test_honest_inspection_is_believed() -> None:
    found = answers.inspection(HONEST, JPEG)
    assert (found.width, found.height, found.camera) == (4000, 3000, "Acme One")
    assert found.media_type == "image/jpeg"


@pytest.mark.parametrize(
    ("field", "lie"),
    [
        ("width", 0),
        ("width", True),
        ("width", 4000.0),
        ("height", None),
        ("height", 2**40),
        ("taken_at", 5),
        ("taken_at", "soon"),
        ("taken_at", "2025-07-14T18:30:05+02:00"),
        ("utc_offset_minutes", 10**6),
        ("camera", "x" * 101),
        ("camera", "two\nlines"),
        ("camera", None),
        ("lens", ["a"]),
        ("latitude", 91.0),
        ("latitude", "52"),
        ("latitude", None),
        ("longitude", -181.0),
        ("longitude", math.inf),
    ],
)
def test_lie_is_not_believed(field: str, lie: object) -> None:
    with pytest.raises(wire.ProtocolError):
        answers.inspection({**HONEST, field: lie}, JPEG)


def test_unknown_refusal_is_not_repeated_to_the_user() -> None:
    for code in ("<script>", 7, ["empty"]):
        with pytest.raises(wire.ProtocolError):
            answers.refusal({"refused": code, "cause": ""})
    with pytest.raises(wire.ProtocolError):
        answers.refusal({"refused": "truncated", "cause": "two\nlines in the log"})
    assert answers.refusal({"refused": "truncated", "cause": "OSError a.py:7"}) == "truncated"


@pytest.mark.parametrize(
    "blobs",
    [
        [b"\0" * 12, WEBP],  # a thumbnail is missing
        [b"\0" * 11, WEBP, WEBP],  # too few pixels
        [b"\0" * 12, WEBP, b"<html>"],  # something else than a picture
        [b"\0" * 12, b"<svg>", WEBP],
        [b"\0" * 12, WEBP + b"\0" * 120, WEBP],  # a placeholder for no list of photos
    ],
)
def test_rendering_of_another_kind_is_not_believed(blobs: list[bytes]) -> None:
    with pytest.raises(wire.ProtocolError):
        answers.rendering(HONEST, blobs, 2, ["small"])
    assert answers.rendering(HONEST, [b"\0" * 12, WEBP, WEBP], 2, ["small"]).width == 4000
