"""What this machine's processor can do, as far as networks care."""

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


@cache
def multiplies_bfloat16() -> bool:
    """Whether bfloat16 products are faster than float32 ones; elsewhere they are slower."""
    return has_bfloat16(CPUINFO)


def has_vnni(cpuinfo: Path) -> bool:
    """Whether Linux lists one of the VNNI instruction sets."""
    return not {"avx512_vnni", "avx_vnni"}.isdisjoint(_flags(cpuinfo))


def has_bfloat16(cpuinfo: Path) -> bool:
    """Whether Linux lists products of bfloat16 numbers."""
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(_flags(cpuinfo))


def _flags(cpuinfo: Path) -> list[str]:
    try:
        lines = cpuinfo.read_text("utf-8").splitlines()
    except OSError:
        return []
    return next((line.split() for line in lines if line.startswith("flags")), [])
