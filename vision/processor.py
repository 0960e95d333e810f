"""What this machine's processor can do, as far as int8 networks care."""

import platform
from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")


@cache
def int8_may_overflow() -> bool:
    """Whether int8 products may be added in 16 bits and overflow: x86 without VNNI.

    Where it cannot be found out (Intel Macs), the answer is yes.
    """
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return False
    return not has_vnni(CPUINFO)


def has_vnni(cpuinfo: Path) -> bool:
    """Whether Linux lists one of the VNNI instruction sets."""
    try:
        lines = cpuinfo.read_text("utf-8").splitlines()
    except OSError:
        return False
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    return not {"avx512_vnni", "avx_vnni"}.isdisjoint(flags)
