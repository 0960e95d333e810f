"""What people typed, made fit to store and to show."""

import unicodedata

JOINER = "\u200d"  # holds emoji of several parts together


def one_line(text: str) -> str:
    """`text` with single spaces and without what no page can show or no database store: control
    characters (PostgreSQL refuses NUL), lone surrogates, marks that turn the direction of writing.
    """
    shown = (char if _is_shown(char) else " " for char in unicodedata.normalize("NFC", text))
    return " ".join("".join(shown).split())


def _is_shown(character: str) -> bool:
    """Not a control (Cc), surrogate (Cs) or invisible format character, save emoji joiners."""
    return unicodedata.category(character) not in {"Cc", "Cs", "Cf"} or character == JOINER
