"""The manifest of a base: what it holds, up to which change, and how its files must look.

Layout of an index folder, one for each model version:

    manifest.json        names the base in use; swapped by one rename
    base-<mark>-<token>/ ids.bin, vectors.bin, index.faiss; never changed once named
    building-<token>/    a base in the making, worthless until it is renamed
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from search.errors import IndexDamaged, IndexMissing

Kind = Literal["flat", "ivf"]

MANIFEST = "manifest.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class FileMark:
    """Length in bytes and SHA-256 of one file of a base."""

    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> FileMark:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(path.stat().st_size, digest)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One base: vectors of model `version`, true up to change number `high_water_mark`."""

    version: str
    high_water_mark: int
    count: int
    dim: int
    kind: Kind
    base: str
    files: dict[str, FileMark]

    def write(self, folder: Path) -> None:
        """Make this the base in use: written aside, forced to disk, renamed."""
        content = asdict(self) | {"format": FORMAT}
        aside = folder / f"{MANIFEST}.new"
        aside.write_text(json.dumps(content | {"checksum": _checksum(content)}, indent=1))
        sync(aside)
        aside.rename(folder / MANIFEST)
        sync(folder)

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Raises IndexMissing where none was written, IndexDamaged where it cannot be trusted."""
        try:
            written = (folder / MANIFEST).read_bytes()
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

    def verify_files(self, folder: Path) -> None:
        """Raise IndexDamaged unless every file of the base is what was written."""
        for name, mark in self.files.items():
            path = folder / self.base / name
            try:
                intact = path.stat().st_size == mark.size_bytes and FileMark.of(path) == mark
            except FileNotFoundError:
                raise IndexDamaged(f"{name} of the index is missing.") from None
            if not intact:
                raise IndexDamaged(f"{name} of the index does not match its checksum.")


def sync(path: Path) -> None:
    """Force a file, or the names in a folder, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _checksum(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
