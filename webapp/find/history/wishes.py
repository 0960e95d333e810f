"""What somebody searched for, as the history writes it down: words, and examples beside them.

Examples are written as `12,15,picture:3f2a…`: photos by their numbers, a picture that is in no
library by a digest, from which nothing of it can be told but that it is the same one again.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse
from django.utils.http import urlencode

_PICTURE = "picture:"
_DIGEST = 32  # characters


@dataclass(frozen=True)
class Wish:
    """`text` as typed, `examples` as of `written`."""

    text: str
    examples: str = ""

    @property
    def label(self) -> str:
        """What it is called in the history."""
        if not self.examples:
            return self.text
        alike = " and ".join(filter(None, (_photos(len(self._ids)), self._has_picture)))
        return f"Like {alike}: {self.text}" if self.text else f"Like {alike}"

    @property
    def url(self) -> str:
        """Where it is asked again; empty with a picture, which is kept for an hour only."""
        if self._has_picture:
            return ""
        like = {"like": ",".join(self._ids)} if self._ids else {}
        return f"{reverse('find:page')}?{urlencode({'q': self.text, **like})}"

    @property
    def _ids(self) -> list[str]:
        return [each for each in self.examples.split(",") if each.isdecimal()]

    @property
    def _has_picture(self) -> str:
        return "a picture" if _PICTURE in self.examples else ""


def written(photo_ids: Iterable[int], picture: bytes | None = None) -> str:
    """The same for the same examples, in whatever order they were chosen."""
    said = [str(photo_id) for photo_id in sorted(photo_ids)]
    if picture is not None:
        said.append(_PICTURE + hashlib.sha256(picture).hexdigest()[:_DIGEST])
    return ",".join(said)


def _photos(count: int) -> str:
    return "" if not count else "a photo" if count == 1 else f"{count} photos"
