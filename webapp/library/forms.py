"""What library views read from a request."""

from django.http import QueryDict

from webapp.errors import Refused, TooLarge

MAX_DIGITS = 18  # what a 64-bit id may have


def as_id(text: str) -> int | None:
    """The id that `text` spells; None if it spells none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else None


def photo_ids(data: QueryDict, *, limit: int) -> list[int]:
    """The ids in the field `photos`: repeated, or separated by commas.

    Raises `Refused` for anything but numbers or nothing at all, `TooLarge` beyond `limit`.
    """
    words = [word.strip() for value in data.getlist("photos") for word in value.split(",")]
    words = [word for word in words if word]
    if not words:
        raise Refused("No photo was chosen. Choose at least one.", field="photos")
    if len(words) > limit:
        raise TooLarge(
            f"{len(words):,} photos were chosen; this takes at most {limit:,} at once. "
            "Nothing was changed; choose fewer.",
            field="photos",
        )
    ids = [as_id(word) for word in words]
    if None in ids:
        raise Refused("Photos are chosen by their numbers. Nothing was changed.", field="photos")
    return list(dict.fromkeys(filter(None, ids)))
