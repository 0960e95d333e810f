"""What of a sight another version has to look for, and what it would only see again.

A version that was trained from another one often differs from it in one part. The backbone and the
embedding feed everything; tags and captions feed nothing. Torch-free.
"""

from typing import Any

from vision.sight import EVERYTHING, Sight
from vision.versions import Version

UPSTREAM = ("backbone", "embedding")
NOT_SEEN = ("text", "known")  # parts by which photos are searched, not looked at


def to_look_for(new: Version, old: Version) -> frozenset[str]:
    """What `new` sees otherwise than `old` may: names among `EVERYTHING`.

    The same specification and files of the same SHA-256 see the same. "tags" stand for the tag head
    and every classifier.
    """
    if any(_part(new, name) != _part(old, name) for name in UPSTREAM):
        return EVERYTHING
    names = (new.parts.keys() | old.parts.keys()) - {*UPSTREAM, *NOT_SEEN}
    changed = {name for name in names if _part(new, name) != _part(old, name)}
    return frozenset({"captions" if name == "captions" else "tags" for name in changed})


def _part(version: Version, name: str) -> tuple[Any, dict[str, str]]:
    """A part's specification, and the SHA-256 of each file that it names."""
    spec = version.parts.get(name)
    listed = version.manifest["files"]
    named = [value for value in (spec or {}).values() if isinstance(value, str) and value in listed]
    return spec, {file: listed[file]["sha256"] for file in named}


def completed(old: Sight, new: Sight, wanted: frozenset[str]) -> Sight:
    """What `new` looked for, and the rest from `old`."""
    captions = new if "captions" in wanted else old
    return Sight(
        embedding=new.embedding if "embedding" in wanted else old.embedding,
        tags=new.tags if "tags" in wanted else old.tags,
        caption=captions.caption,
        caption_confidence=captions.caption_confidence,
        other_captions=captions.other_captions,
    )
