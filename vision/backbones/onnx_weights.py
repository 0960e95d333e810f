"""Weights out of a quantised ONNX file, for a device that runs torch.

A version keeps its backbone once, as int8 ONNX. A GPU gains nothing from it, so the weights are
turned back into numbers that torch can use. Only the initialisers are read; field numbers are those
of onnx.proto3.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, from_numpy, nn

from vision.errors import WeightsError
from vision.protobuf import fields, varint

MODEL_GRAPH, GRAPH_INITIALIZER = 7, 5
DIMS, DATA_TYPE, FLOAT_DATA, INT32_DATA, NAME, RAW_DATA = 1, 2, 4, 5, 8, 9
TYPES = {1: "<f4", 2: "u1", 3: "i1", 6: "<i4", 7: "<i8"}


def dequantised(path: Path) -> dict[str, NDArray[np.float32]]:
    """Every named weight of the file in float32, quantised ones (per channel) times their scale."""
    arrays = dict(initializers(path))
    weights = {n: a.astype(np.float32) for n, a in arrays.items() if a.dtype == np.float32}
    for name, values in arrays.items():
        if not name.endswith("_quantized"):
            continue
        plain = name.removesuffix("_quantized")
        scale = next(weights[s] for s in (f"{name}_scale", f"{plain}_scale") if s in weights)
        by_channel = scale.reshape(-1, *(1,) * (values.ndim - 1))
        weights[plain] = values.astype(np.float32) * by_channel
    return weights


def fill(module: nn.Module, path: Path) -> nn.Module:
    """Load a module's weights from the file. Raises WeightsError when one is not in it."""
    weights = dequantised(path)
    state: dict[str, Tensor] = {}
    for name, wanted in module.state_dict().items():
        found = weights.get(name)
        if found is None or found.shape != tuple(wanted.shape):
            raise WeightsError(f"{path.name} holds no {name} of the shape {tuple(wanted.shape)}.")
        state[name] = from_numpy(found)
    module.load_state_dict(state)
    return module


def initializers(path: Path) -> Iterator[tuple[str, NDArray[np.generic]]]:
    """Name and array of each weight, as it is stored."""
    for field, graph in fields(memoryview(path.read_bytes())):
        if field == MODEL_GRAPH and isinstance(graph, memoryview):
            for inner, tensor in fields(graph):
                if inner == GRAPH_INITIALIZER and isinstance(tensor, memoryview):
                    yield _array(tensor)


def _array(tensor: memoryview) -> tuple[str, NDArray[np.generic]]:
    dims: list[int] = []
    name, kind, raw = "", 1, b""
    floats: list[bytes] = []
    integers: list[int] = []
    for field, value in fields(tensor):
        if field == DIMS:
            dims += _packed(value)
        elif field == INT32_DATA:
            integers += _packed(value)
        elif field == FLOAT_DATA and isinstance(value, memoryview):
            floats.append(bytes(value))
        elif field == DATA_TYPE and isinstance(value, int):
            kind = value
        elif isinstance(value, memoryview) and field in (NAME, RAW_DATA):
            name, raw = (str(value, "utf-8"), raw) if field == NAME else (name, bytes(value))
    if integers:
        return name, np.array(integers).astype(TYPES[kind]).reshape(dims)
    return name, np.frombuffer(raw or b"".join(floats), TYPES.get(kind, "u1")).reshape(dims)


def _packed(value: memoryview | int) -> list[int]:
    """Repeated whole numbers, in one piece or one by one."""
    if isinstance(value, int):
        return [value]
    numbers, place = [], 0
    while place < len(value):
        number, place = varint(value, place)
        numbers.append(number)
    return numbers
