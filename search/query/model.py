"""What a query is: free text, conditions, and what could not be understood."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from search.query.dates import DateRange, Recurring


class Field(StrEnum):
    """What a condition is about; its value is the prefix that is typed."""

    WORDS = "words"  # quotes are typed instead
    SHOWS = "shows"  # a tag or word, its synonyms and narrower words included
    TAG = "tag"
    CAMERA = "camera"
    PLACE = "place"
    ALBUM = "album"
    TYPE = "type"
    HAS = "has"
    FAVOURITE = "is"
    TAKEN = "taken"  # dates are typed instead
    EVERY = "every"  # days that come again: see `Recurring`


# What can be asked with `type:` and `has:`, and other spellings of it.
TYPES = {
    **{name: name for name in ("jpeg", "png", "webp", "gif", "avif", "heic", "tiff", "bmp", "raw")},
    **{"jpg": "jpeg", "heif": "heic", "tif": "tiff"},
    **{name: name for name in ("portrait", "landscape", "square", "panorama", "screenshot")},
}
HAS = {
    **{name: name for name in ("caption", "place", "text", "tags")},
    **{"captions": "caption", "tag": "tags", "gps": "place", "location": "place"},
}


@dataclass(frozen=True, slots=True)
class Condition:
    """What a photo must satisfy, or must not if `negated`."""

    field: Field
    value: str = ""
    dates: DateRange | None = None  # of Field.TAKEN
    negated: bool = False

    def __str__(self) -> str:
        if self.field is Field.SHOWS and self.negated and self.value.isalpha():
            return f"-{self.value}"
        return f"{'-' if self.negated else ''}{self._plain()}"

    def _plain(self) -> str:
        if self.field is Field.WORDS:
            return f'"{self.value}"'
        if self.field is Field.TAKEN:
            return str(self.dates)
        quoted = f'"{self.value}"' if re.search(r"\s", self.value) else self.value
        return f"{self.field}:{quoted}"

    @property
    def turned(self) -> Condition:
        """The opposite."""
        return replace(self, negated=not self.negated)

    @property
    def recurring(self) -> Recurring | None:
        """The days of Field.EVERY."""
        return Recurring.read(self.value) if self.field is Field.EVERY else None


@dataclass(frozen=True, slots=True)
class Query:
    """Free text and the conditions around it, in the order in which they were typed.

    `notes` are sentences about what could not be understood as it was probably meant.
    """

    text: str = ""
    conditions: tuple[Condition, ...] = ()
    notes: tuple[str, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return " ".join(filter(None, [self.text, *map(str, self.conditions)]))

    def __bool__(self) -> bool:
        return bool(self.text or self.conditions)

    def of(self, field: Field) -> tuple[Condition, ...]:
        """The conditions about `field`."""
        return tuple(each for each in self.conditions if each.field is field)

    @property
    def unwanted(self) -> tuple[str, ...]:
        """What should not be on the photos."""
        return tuple(each.value for each in self.of(Field.SHOWS) if each.negated)

    def without(self, condition: Condition) -> Query:
        kept = tuple(each for each in self.conditions if each != condition)
        return replace(self, conditions=kept)

    def turned(self, condition: Condition) -> Query:
        """The query with `condition` turned around."""
        turned = (condition.turned if each == condition else each for each in self.conditions)
        return replace(self, conditions=distinct(turned))


def distinct(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    return tuple(dict.fromkeys(conditions))
