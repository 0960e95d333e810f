"""Which photos no training ever learns from: the same for every run and version.

Who compares versions asks about held-out photos; who trains chooses among the others by validation.
A photo's part follows from its bytes, so a copy of a held-out photo is held out as well.
"""

from enum import StrEnum

HELD_OUT_EVERY = 5
VALIDATION_EVERY = 8  # of the photos that are not held out


class Part(StrEnum):
    """What a photo is for."""

    TRAINING = "training"
    VALIDATION = "validation"
    HELD_OUT = "held out"


def part_of(sha256: str) -> Part:
    """The part of the photo whose original has this SHA-256 (hexadecimal)."""
    if is_held_out(sha256):
        return Part.HELD_OUT
    chosen = int(sha256[8:16], 16) % VALIDATION_EVERY == 0
    return Part.VALIDATION if chosen else Part.TRAINING


def is_held_out(sha256: str) -> bool:
    """Whether no training may learn from it."""
    return int(sha256[:8], 16) % HELD_OUT_EVERY == 0
