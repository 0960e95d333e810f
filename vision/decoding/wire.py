"""Messages between the pool and its children: a JSON object, then blobs, all length-prefixed.

A child that has decoded a hostile file may be hostile: nothing it sends is unpickled or trusted.
"""

import json
import struct
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

_LENGTH: Final = struct.Struct(">I")
# A path is at most 4,096 bytes and metadata a few hundred.
MAX_HEADER_BYTES: Final = 64 * 1024
MAX_BLOBS: Final = 16
# The largest thumbnail measured is under 2 MB; network pixels of 1024² are 3 MB.
MAX_BLOB_BYTES: Final = 32 * 1024**2

# Returns exactly so many bytes or raises.
Read = Callable[[int], bytes]


class ProtocolError(Exception):
    """The other side sent something that is no message."""


def pack(header: dict[str, Any], blobs: Sequence[bytes] = ()) -> list[bytes]:
    """The parts of one message, to be written one after the other."""
    text = json.dumps(header, allow_nan=False).encode()
    parts = [_LENGTH.pack(len(text)), text, _LENGTH.pack(len(blobs))]
    for blob in blobs:
        parts += [_LENGTH.pack(len(blob)), blob]
    return parts


def unpack(read: Read) -> tuple[dict[str, Any], list[bytes]]:
    """Read one message. Raises `ProtocolError` and whatever `read` raises."""
    header = _parse(read(_read_length(read, MAX_HEADER_BYTES)))
    count = _read_length(read, MAX_BLOBS)
    return header, [read(_read_length(read, MAX_BLOB_BYTES)) for _ in range(count)]


def _read_length(read: Read, limit: int) -> int:
    length: int = _LENGTH.unpack(read(_LENGTH.size))[0]
    if length > limit:
        raise ProtocolError(f"length {length} exceeds {limit}")
    return length


def _parse(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("header is not JSON") from error
    if not isinstance(header, dict):
        raise ProtocolError("header is not an object")
    return header


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
