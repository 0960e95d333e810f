"""What an ONNX file may not do: read other files, or ask for operators of a library of its own.

Its weights may lie in other files, whose names are paths: `../../secret` is a way out of the
folder. And an operator of an unknown domain asks for a native library. Both are refused before
ONNX Runtime sees the file. Only the outer shape of the protocol buffer is read. Torch-free.

Source: onnx.proto3 of onnx 1.23, whose field numbers stand beside the names.
"""

from vision.errors import WeightsError
from vision.protobuf import fields

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
    for field, value in fields(content):
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
