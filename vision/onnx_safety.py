"""What an ONNX file may not do: read other files, or ask for operators of a library of its own.

Its weights may lie in other files, whose names are paths: `../../secret` is a way out of the
folder. And an operator of an unknown domain asks for a native library. Both are refused before
ONNX Runtime sees the file. Only the outer shape of the protocol buffer is read, without the
package `onnx`, which the product does not need. Torch-free.

Source: onnx.proto3 of onnx 1.23, whose field numbers stand beside the names.
"""

from collections.abc import Iterator

from vision.errors import WeightsError

# The operators that onnxruntime itself brings.
DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.ms.internal.nhwc"}

# Messages that may hold what is looked for: {message: {field number: message}}.
INSIDE = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
NODE_DOMAIN = 7
EXTERNAL_DATA, DATA_LOCATION = 13, 14
DEEPEST = 64


def check_onnx(content: bytes, name: str) -> None:
    """Raise WeightsError with the reason if the file reaches outside of itself."""
    try:
        _check("model", memoryview(content), name, 0)
    except (IndexError, UnicodeDecodeError):
        raise WeightsError(f"{name} was refused: it is no complete ONNX file.") from None


def _check(message: str, content: memoryview, name: str, depth: int) -> None:
    if depth > DEEPEST:
        raise WeightsError(f"{name} was refused: its graphs lie too deep in one another.")
    for field, value in _fields(content):
        if message == "tensor" and (field == EXTERNAL_DATA or (field == DATA_LOCATION and value)):
            raise WeightsError(
                f"{name} was refused: it keeps weights in other files, whose names could lead "
                "anywhere. Export it as one file."
            )
        if not isinstance(value, memoryview):
            continue
        if message == "node" and field == NODE_DOMAIN and str(value, "utf-8") not in DOMAINS:
            domain = str(value, "utf-8")
            raise WeightsError(
                f"{name} was refused: it asks for operators of {domain[:80]!r}, which are not "
                "ONNX Runtime's own."
            )
        if field in INSIDE[message]:
            _check(INSIDE[message][field], value, name, depth + 1)


def _fields(content: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """(field number, bytes or number) of one message. Raises IndexError where it ends early."""
    place = 0
    while place < len(content):
        key, place = _varint(content, place)
        field, kind = key >> 3, key & 7
        if kind == 0:
            number, place = _varint(content, place)
            yield field, number
        elif kind == 2:
            length, place = _varint(content, place)
            if place + length > len(content):
                raise IndexError
            yield field, content[place : place + length]
            place += length
        elif kind in (1, 5):
            place += 8 if kind == 1 else 4
        else:
            raise IndexError
    if place > len(content):
        raise IndexError


def _varint(content: memoryview, place: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = content[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
        shift += 7
        if shift > 63:
            raise IndexError
