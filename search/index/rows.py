"""Vectors on disk, read a few at a time."""

from __future__ import annotations

import os
import weakref
from itertools import repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# Linux only; elsewhere each read waits for its turn.
CAN_ADVISE = hasattr(os, "posix_fadvise")
NOWAIT = getattr(os, "RWF_NOWAIT", 0)


class Rows:
    """A file of float16 vectors (n, dim).

    Read by position, not mapped: as fast (400 of a million rows in 0.4 ms), and the system alone
    decides what stays in memory, where mapped pages would count as this process's (a gigabyte
    after 200 searches). A file that shrinks is an error, not the end of the process.
    """

    def __init__(self, path: Path, dim: int) -> None:
        self._dim = dim
        self._handle = os.open(path, os.O_RDONLY)
        if CAN_ADVISE:
            os.posix_fadvise(self._handle, 0, 0, os.POSIX_FADV_RANDOM)
        weakref.finalize(self, os.close, self._handle)

    def at(self, rows: NDArray[np.integer]) -> NDArray[np.float16]:
        """Vectors (n, dim) at `rows` (n,). Raises OSError where the file ends."""
        read = np.empty((rows.size, self._dim), np.float16)
        offsets = (rows.astype(np.int64) * (self._dim * read.itemsize)).tolist()
        if not self._read_from_memory(read, offsets):
            self._read_from_disk(read, offsets)
        return read

    def _read_from_memory(self, into: NDArray[np.float16], offsets: list[int]) -> bool:
        """Fill `into`; False if that would have to wait for the disk."""
        # A loop in C: written out in Python it took as long as the reading itself.
        reading = map(os.preadv, repeat(self._handle), zip(into), offsets, repeat(NOWAIT))
        try:
            return sum(reading) == into.nbytes
        except OSError:  # it would have to wait, or the system cannot tell
            return False

    def _read_from_disk(self, into: NDArray[np.float16], offsets: list[int]) -> None:
        size = into.itemsize * self._dim
        for offset in offsets if CAN_ADVISE else ():  # so that the disk reads side by side
            os.posix_fadvise(self._handle, offset, size, os.POSIX_FADV_WILLNEED)
        for row, offset in zip(into, offsets, strict=True):
            if os.preadv(self._handle, [row], offset) != size:
                raise OSError("The vectors of the index end too early.")
