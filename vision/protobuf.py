"""The outer shape of a protocol buffer, for files of ONNX: without the package `onnx`, which the
product does not need, and without torch."""

from collections.abc import Iterator

LONGEST = 63  # bits before the last seven of a number
FIXED = {1: 8, 5: 4}  # bytes of a number that has always as many, by wire type


def fields(content: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """(field number, bytes or number) of one message. Raises IndexError where it ends early."""
    place = 0
    while place < len(content):
        key, place = varint(content, place)
        field, kind = key >> 3, key & 7
        if kind == 0:
            number, place = varint(content, place)
            yield field, number
            continue
        if kind == 2:
            length, place = varint(content, place)
        elif kind in FIXED:
            length = FIXED[kind]
        else:
            raise IndexError
        if place + length > len(content):
            raise IndexError
        yield field, content[place : place + length]
        place += length


def varint(content: memoryview, place: int) -> tuple[int, int]:
    """The number that begins at `place`, and where the next thing begins. Raises IndexError."""
    number = shift = 0
    while True:
        byte = content[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
        shift += 7
        if shift > LONGEST:
            raise IndexError
