"""What photos of a collection are given, so that people could remember it: dates, places, cameras,
tags, albums, names, signs. It follows from a photo's name alone and has nothing to do with what the
photo shows, so no signal can profit from it where it was not asked for.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

FIRST_DAY, DAYS = datetime(2014, 1, 1, 12, tzinfo=UTC), 12 * 365
# Town, region and country, as places are looked up.
PLACES = (
    ("Rome", "Lazio", "Italy"),
    ("Palermo", "Sicily", "Italy"),
    ("Lisbon", "Lisbon", "Portugal"),
    ("Oslo", "Oslo", "Norway"),
    ("Berlin", "Berlin", "Germany"),
    ("Kyoto", "Kyoto", "Japan"),
)
CAMERAS = ("Canon EOS 80D", "NIKON D750", "Apple iPhone 12", "SONY ILCE-7M3")
TAGS = ("for the calendar", "to be printed")
ALBUMS = ("Erasmus", "Sabbatical", "Aunt Ilse", "Clara and Tom")
SIGNS = ("Hotel Aurora", "Pharmacy Lindner", "Trattoria Gino", "Gate B42")
EVENTS = ("halcyon", "interrail", "jubilee")

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Given:
    """What is known of one photo without looking at it; empty strings where nothing is."""

    taken_at: datetime
    camera: str
    is_favourite: bool
    place: tuple[str, str, str] = ("", "", "")
    tag: str = ""
    album: str = ""
    sign: str = ""  # read on the photo
    event: str = ""  # in the file name
    file_name: str = ""


def give(name: str) -> Given:
    """What the photo `name` is given; the same every time."""
    draw = _Draw(name)
    event = draw.perhaps(EVENTS, one_in=5)
    number = draw.below(10_000)
    return Given(
        taken_at=FIRST_DAY + timedelta(days=draw.below(DAYS)),
        camera=draw.one(CAMERAS),
        is_favourite=draw.below(6) == 0,
        place=draw.one((*PLACES, ("", "", ""))),
        tag=draw.perhaps(TAGS, one_in=3),
        album=draw.perhaps(ALBUMS, one_in=2),
        sign=draw.perhaps(SIGNS, one_in=3),
        event=event,
        file_name=f"{event or 'IMG'}_{number:04}.jpg",
    )


class _Draw:
    """Draws that follow from a name."""

    def __init__(self, name: str) -> None:
        self._rest = int.from_bytes(hashlib.sha256(name.encode()).digest(), "big")

    def below(self, count: int) -> int:
        self._rest, drawn = divmod(self._rest, count)
        return drawn

    def one(self, among: Sequence[Thing]) -> Thing:
        return among[self.below(len(among))]

    def perhaps(self, among: Sequence[str], *, one_in: int) -> str:
        return self.one(among) if self.below(one_in) == 0 else ""
