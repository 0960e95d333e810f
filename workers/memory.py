"""Memory that the allocator keeps though nobody uses it."""

import ctypes
import ctypes.util
import gc
import sys


def give_back() -> None:
    """Return freed memory to the system, where the C library can (glibc)."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(ctypes.util.find_library("c")), "malloc_trim", None)
        if trim:
            trim(0)
