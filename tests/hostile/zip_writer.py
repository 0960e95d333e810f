"""ZIPs byte by byte: what no honest program writes, an attacker does."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

UTF8 = 0x800
ENCRYPTED = 0x1
STORED, DEFLATED = 0, 8
REGULAR = 0o100644


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A member; what is None is told truly."""

    name: bytes
    data: bytes = b""
    method: int = STORED
    packed: bytes | None = None  # what lies in the file in place of the packed data
    claims: int | None = None  # bytes unpacked, as the directory has it
    claims_packed: int | None = None
    crc: int | None = None
    flags: int = UTF8
    mode: int = REGULAR
    system: int = 3  # Unix
    local_name: bytes | None = None
    offset: int | None = None
    extra: bytes = b""

    @property
    def body(self) -> bytes:
        if self.packed is not None:
            return self.packed
        return deflated(self.data) if self.method == DEFLATED else self.data


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What the end of the ZIP says, where it lies."""

    count: int | None = None
    length: int | None = None
    offset: int | None = None
    disk: int = 0
    comment: bytes = b""
    before: bytes = b""  # bytes between directory and end
    after: bytes = b""


@dataclass(slots=True)
class _Written:
    content: bytearray = field(default_factory=bytearray)
    directory: bytearray = field(default_factory=bytearray)


def a_zip(entries: Sequence[Entry], ending: Ending | None = None) -> bytes:
    ending, written = ending or Ending(), _Written()
    for entry in entries:
        _write(written, entry)
    start, length = len(written.content), len(written.directory)
    end = struct.pack(
        "<4s4H2IH",
        b"PK\5\6",
        ending.disk,
        ending.disk,
        *2 * ((len(entries) if ending.count is None else ending.count) & 0xFFFF,),
        length if ending.length is None else ending.length,
        start if ending.offset is None else ending.offset,
        len(ending.comment),
    )
    end += ending.comment + ending.after
    return bytes(written.content + written.directory + ending.before + end)


def _write(written: _Written, entry: Entry) -> None:
    body, at = entry.body, len(written.content)
    crc = zlib.crc32(entry.data) if entry.crc is None else entry.crc
    size = len(entry.data) if entry.claims is None else entry.claims
    packed = len(body) if entry.claims_packed is None else entry.claims_packed
    common = (entry.flags, entry.method, 0, 0x21, crc, packed & 0xFFFFFFFF, size & 0xFFFFFFFF)
    local = entry.name if entry.local_name is None else entry.local_name
    if entry.offset is None:
        head = struct.pack("<4s5H3I2H", b"PK\3\4", 20, *common, len(local), 0)
        written.content += head + local + body
    written.directory += struct.pack(
        "<4s6H3I5H2I",
        b"PK\1\2",
        (entry.system << 8) | 20,
        20,
        *common,
        len(entry.name),
        len(entry.extra),
        0,
        0,
        0,
        entry.mode << 16,
        at if entry.offset is None else entry.offset,
    )
    written.directory += entry.name + entry.extra


def end64(*, count: int, length: int, offset: int, at: int) -> bytes:
    """The end of a ZIP64 and the locator that leads to it, written at byte `at`."""
    end = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, length, offset)
    return end + struct.pack("<4sIQI", b"PK\6\7", 0, at, 1)


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()
