"""Why a photo is among the results, in a few words."""

from __future__ import annotations

from collections.abc import Sequence


def looks_like_it(_photo_id: int) -> str:
    return "looks like it"


def tagged(words: Sequence[str]) -> str:
    return f"tagged {_listed(words)}"


def caption_says(words: Sequence[str]) -> str:
    return f"caption says {_quoted(words)}"


def name_has(words: Sequence[str]) -> str:
    return f"file name has {_quoted(words)}"


def _quoted(words: Sequence[str]) -> str:
    return _listed([f"‘{word}’" for word in words])


def _listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
