"""What a ZIP or a folder holds, before any of it is opened as a photo."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import IO

from webapp.errors import Refused
from webapp.library.file_names import tidy_path
from webapp.teach.datasets.labels import tidy_label

MAX_MEMBERS = 200_000
MAX_PHOTOS = 50_000
MAX_CLASSES = 1_000
FEWEST_CLASSES = 2

# Folders that other programs split data into. Marea splits by itself, without near-duplicates on
# both sides, so these are put together.
SIDES = frozenset(
    ["train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval"]
)
# What computers leave behind everywhere.
LITTER = frozenset({"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin"})


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A member that was not taken, and why: a full sentence for people."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Member:
    """A file that may be a photo. `folders` are those it lies in, from the outside."""

    name: str
    folders: tuple[str, ...]
    open: Callable[[], AbstractContextManager[IO[bytes]]]


@dataclass(slots=True)
class Contents:
    """Files that may be photos, and what was left out already."""

    members: list[Member] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    litter: int = 0

    def leave_out(self, name: str, why: str) -> None:
        self.left_out.append(LeftOut(shown_name(name), why))


@dataclass(frozen=True, slots=True)
class Labelled:
    """The members of each class, and what is to be said about how they were found."""

    members: Sequence[tuple[str, Member]]  # (label, member)
    remarks: Sequence[str]


def shown_name(name: str) -> str:
    """A member's name, fit to be kept and shown (escaped)."""
    return tidy_path(name)


def is_litter(parts: Sequence[str]) -> bool:
    """Whether some part of a path is what an operating system leaves behind, or is hidden."""
    return any(part.lower() in LITTER or _is_hidden(part) for part in parts)


def _is_hidden(part: str) -> bool:
    return part.startswith(".") and part not in (".", "..")


def label_members(contents: Contents) -> Labelled:
    """Give each member its class, by its folder. Raises `Refused` for too many classes or photos.

    Folders around all of them do not count, nor do folders below those of the classes.
    """
    outside = _around(contents.members)
    remarks, found = [], []
    merged: dict[str, set[str]] = {}
    tops = {each.folders[outside] for each in contents.members if len(each.folders) > outside}
    if tops and {top.lower() for top in tops} <= SIDES:
        outside += 1
        remarks.append(
            f"The folders {' and '.join(sorted(tops))} were put together: Marea splits the photos "
            "by itself, so that near-duplicates are not on both sides."
        )
    for member in contents.members:
        if len(member.folders) <= outside:
            contents.leave_out(member.name, "It is in no folder of a class.")
        elif label := tidy_label(member.folders[outside]):
            merged.setdefault(label, set()).add(member.folders[outside])
            found.append((label, member))
        else:
            contents.leave_out(member.name, "Its folder has no name that could be a tag.")
    _check(len(merged), len(found))
    return Labelled(found, [*remarks, *_merged(merged)])


def _around(members: Sequence[Member]) -> int:
    """How many folders lie around everything; the innermost one may be a class of its own."""
    inside = [each.folders for each in members if each.folders]
    depth = 0
    while inside and all(len(folders) > depth + 1 for folders in inside):
        if len({folders[depth] for folders in inside}) > 1:
            break
        depth += 1
    return depth


def _check(classes: int, photos: int) -> None:
    if classes < FEWEST_CLASSES:
        raise Refused(
            "There is no folder for each class in it: at least two folders with photos are needed, "
            "one for each thing to be told apart. To find a single thing, teach Marea a tag "
            "instead. Nothing was kept.",
            code="one_class",
        )
    if classes > MAX_CLASSES:
        raise Refused(
            f"It has {classes:,} classes; at most {MAX_CLASSES:,} can be told apart. Nothing was "
            "kept.",
            code="too_many_classes",
        )
    if photos > MAX_PHOTOS:
        raise Refused(
            f"It has {photos:,} files; a data set may have at most {MAX_PHOTOS:,} photos. Nothing "
            "was kept.",
            code="too_many_photos",
        )


def _merged(names: dict[str, set[str]]) -> list[str]:
    return [
        f"{len(folders)} folders are named {label}, but for capitals or invisible characters; they "
        "are one class."
        for label, folders in sorted(names.items())
        if len(folders) > 1
    ]
