"""File names as people sent them, made safe to store, show and offer for download."""

import unicodedata

MAX_LENGTH = 255


def tidy_file_name(name: str) -> str:
    """The last part of a path, without control and direction-changing characters, at most 255 long.

    The name is only ever shown and searched; originals are stored under their hash. What cannot
    be kept (lone surrogates, NUL) is replaced, and the ending survives a cut.
    """
    name = name.encode("utf-8", "replace").decode("utf-8", "replace")
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    kept = "".join(c if _is_shown(c) else " " for c in unicodedata.normalize("NFC", last))
    tidy = " ".join(kept.split())
    if tidy.strip(". ") == "":
        return "photo"
    return _cut(tidy)


def _is_shown(character: str) -> bool:
    """Not a control (Cc), surrogate (Cs) or invisible format character, save emoji joiners."""
    return unicodedata.category(character) not in {"Cc", "Cs", "Cf"} or character == "\u200d"


def _cut(name: str) -> str:
    if len(name) <= MAX_LENGTH:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 10:
        return name[:MAX_LENGTH]
    return f"{stem[: MAX_LENGTH - len(ending) - 2]}….{ending}"[:MAX_LENGTH]
