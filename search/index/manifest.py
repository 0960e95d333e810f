"""The manifest of a base: what it holds, up to which change, and how its files must look.

Layout of an index folder, one for each model version:

    manifest.json           names the base in use; swapped by one rename
    manifest.previous.json  the manifest before, whose base stays: one rename back
    base-<mark>-<token>/    ids.bin, vectors.bin, index.faiss; never changed once named
    building-<token>/       a base in the making, worthless until it is renamed
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from search.errors import IndexDamaged, IndexMissing

Kind = Literal["flat", "ivf", "milvus"]

MANIFEST = "manifest.json"
PREVIOUS = "manifest.previous.json"
FORMAT = 1
HASHED_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class FileMark:
    """Length in bytes and SHA-256 of one file of a base, and of its head alone.

    The head is what must be right before the file may be opened: ids, and all that FAISS parses.
    What lies behind it, codes and vectors, can cost a rank but harm nothing; hashing it takes
    seconds for a million photos, so whoever opens a base does that afterwards.
    """

    size_bytes: int
    sha256: str
    head_bytes: int | None = None  # None: all of it
    head_sha256: str = ""

    @classmethod
    def of(cls, path: Path, head_bytes: int | None = None) -> FileMark:
        head = "" if head_bytes is None else _sha256(path, head_bytes)
        return cls(path.stat().st_size, _sha256(path), head_bytes, head)

    def fits_whole(self, path: Path) -> bool:
        return path.stat().st_size == self.size_bytes and _sha256(path) == self.sha256

    def fits_head(self, path: Path) -> bool:
        if self.head_bytes is None:
            return self.fits_whole(path)
        right_size = path.stat().st_size == self.size_bytes
        return right_size and _sha256(path, self.head_bytes) == self.head_sha256


@dataclass(frozen=True, slots=True)
class Manifest:
    """One base: vectors of model `version`, true up to change number `high_water_mark`.

    `digest` is the SHA-256 of the model's own manifest, empty where it was not known.
    """

    version: str
    high_water_mark: int
    count: int
    dim: int
    kind: Kind
    base: str
    files: dict[str, FileMark]
    digest: str = ""

    def write(self, folder: Path) -> None:
        """Make this the base in use: written aside, forced to disk, renamed.

        The manifest before is kept beside it, for `undo_switch`.
        """
        content = asdict(self) | {"format": FORMAT}
        aside = folder / f"{MANIFEST}.new"
        aside.write_text(json.dumps(content | {"checksum": _checksum(content)}, indent=1))
        sync(aside)
        _keep_previous(folder)
        aside.rename(folder / MANIFEST)
        sync(folder)

    @classmethod
    def read(cls, folder: Path, name: str = MANIFEST) -> Manifest:
        """Raises IndexMissing where none was written, IndexDamaged where it cannot be trusted."""
        try:
            written = (folder / name).read_bytes()
        except FileNotFoundError:
            raise IndexMissing(f"There is no index in {folder.name} yet.") from None
        return cls._parse(written)

    @classmethod
    def _parse(cls, written: bytes) -> Manifest:
        try:
            content: dict[str, Any] = json.loads(written)
            if content.pop("checksum") != _checksum(content) or content.pop("format") != FORMAT:
                raise IndexDamaged("The manifest of the index does not match its checksum.")
            content["files"] = {name: FileMark(**mark) for name, mark in content["files"].items()}
            return cls(**content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise IndexDamaged(f"The manifest of the index cannot be read: {error}") from error

    def verify_heads(self, folder: Path) -> None:
        """Raise IndexDamaged unless every file has its length and its head is what was written."""
        self._verify(folder, FileMark.fits_head)

    def verify_files(self, folder: Path) -> None:
        """Raise IndexDamaged unless every file of the base is what was written."""
        self._verify(folder, FileMark.fits_whole)

    def _verify(self, folder: Path, fits: Callable[[FileMark, Path], bool]) -> None:
        for name, mark in self.files.items():
            try:
                intact = fits(mark, folder / self.base / name)
            except FileNotFoundError:
                raise IndexDamaged(f"{name} of the index is missing.", self.base) from None
            if not intact:
                raise IndexDamaged(f"{name} of the index does not match its checksum.", self.base)


def kept_manifests(folder: Path) -> list[Manifest]:
    """The manifest in use and the one before, those of them that can be read."""
    kept = []
    for name in (MANIFEST, PREVIOUS):
        with suppress(IndexMissing, IndexDamaged):
            kept.append(Manifest.read(folder, name))
    return kept


def undo_switch(folder: Path) -> Manifest:
    """Put the base before back in use by one rename; the one in use becomes the one before.

    Raises IndexMissing if there is none, IndexDamaged if it is not what was written; then nothing
    is changed.
    """
    previous = Manifest.read(folder, PREVIOUS)
    previous.verify_files(folder)
    aside = folder / f"{PREVIOUS}.new"
    aside.unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        aside.hardlink_to(folder / MANIFEST)
    (folder / PREVIOUS).rename(folder / MANIFEST)
    if aside.exists():
        aside.rename(folder / PREVIOUS)
    sync(folder)
    return previous


def sync(path: Path) -> None:
    """Force a file, or the names in a folder, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _keep_previous(folder: Path) -> None:
    """Give the manifest in use its second name, which stays when the first moves on."""
    aside = folder / f"{PREVIOUS}.new"
    aside.unlink(missing_ok=True)
    with suppress(FileNotFoundError):  # the first base has none before it
        aside.hardlink_to(folder / MANIFEST)
        aside.rename(folder / PREVIOUS)


def _sha256(path: Path, first_bytes: int | None = None) -> str:
    """Of a file, or of its first bytes."""
    digest = hashlib.sha256()
    left = path.stat().st_size if first_bytes is None else first_bytes
    with path.open("rb") as file:
        while left > 0 and (chunk := file.read(min(left, HASHED_AT_ONCE))):
            digest.update(chunk)
            left -= len(chunk)
    return digest.hexdigest()


def _checksum(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
