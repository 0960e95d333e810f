"""A photo as a tile of a grid: the one shape that templates and the timeline's JSON share."""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass

from webapp.library.addresses import photo_url, thumbnail_address
from webapp.library.models import Photo
from webapp.teach.words import alternative_text


@dataclass(frozen=True, kw_only=True)
class Tile:
    id: int
    url: str
    thumbnail: str  # empty until there is one
    placeholder: str  # data: URI of a tiny WebP, or empty
    alt: str
    lang: str  # of `alt`, where it is not the page's
    width: int
    height: int
    state: str
    is_favourite: bool
    reasons: str = ""
    stack_size: int = 0  # photos behind this tile, where there are more than one

    @classmethod
    def of(cls, photo: Photo, *, trail: str = "", reasons: str = "") -> "Tile":
        """`photo` should come from `with_words`. `trail` is the photo page's query string."""
        words = alternative_text(photo)
        return cls(
            id=photo.pk,
            url=photo_url(photo.pk) + trail,
            thumbnail=thumbnail_url(photo, "small") if photo.state == Photo.State.READY else "",
            placeholder=placeholder_uri(photo),
            alt=words.text,
            lang=words.lang,
            width=photo.width,
            height=photo.height,
            state=photo.state,
            is_favourite=photo.is_favourite,
            reasons=reasons,
            stack_size=_stack_size(photo),
        )


def _stack_size(photo: Photo) -> int:
    """As `webapp.stacks.folding.counted` put it on the photo, if it did."""
    size = getattr(photo, "stack_size", None) or 0
    return size if size > 1 else 0


def tiles_of(photos: Iterable[Photo], *, trail: str = "") -> list[Tile]:
    return [Tile.of(photo, trail=trail) for photo in photos]


def thumbnail_url(photo: Photo, size: str) -> str:
    """Carries a part of the hash, so that browsers may keep the answer for ever."""
    return f"{thumbnail_address(photo.pk, size)}?v={photo.sha256[:12]}"


def placeholder_uri(photo: Photo) -> str:
    if not photo.placeholder:
        return ""
    return f"data:image/webp;base64,{b64encode(photo.placeholder).decode()}"
