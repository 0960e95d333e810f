"""What a split holds, before it is measured: so that nothing is left out in silence."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vision.collection.collection import Collection
from vision.collection.photos import decode_or_none

NAMED = 3


@dataclass(frozen=True, slots=True)
class Survey:
    """Photos of a split that can be read, files that cannot, and names that tables have alone."""

    photos: tuple[str, ...]
    unreadable: tuple[str, ...]
    absent: tuple[str, ...]

    def complaints(self) -> list[str]:
        """What is left out, in sentences; none where nothing is."""
        found = []
        if self.unreadable:
            found.append(f"Left out, as they cannot be read as photos: {_some(self.unreadable)}.")
        if self.absent:
            told = f"Tables name photos that are not there: {_some(self.absent)}"
            if len(self.absent) > len(self.photos) and self.photos:
                told += f"; those that are there have names such as {self.photos[0]}"
            found.append(f"{told}.")
        return found


def survey(folder: Path, split: str) -> Survey:
    """Open every photo of a split once. Raises DataMissing and BadData."""
    collection = Collection(folder)
    readable: list[str] = []
    unreadable: list[str] = []
    for name, content in collection.files(split):
        (unreadable if decode_or_none(content) is None else readable).append(name)
    absent = collection.told(split) - {*readable, *unreadable}
    return Survey(tuple(readable), tuple(unreadable), tuple(sorted(absent)))


def _some(names: Sequence[str]) -> str:
    named = ", ".join(names[:NAMED])
    return named if len(names) <= NAMED else f"{named} and {len(names) - NAMED:,} more"
