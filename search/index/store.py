"""Where the bases of one model version are kept: made, opened, undone and set aside."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from search.errors import IndexDamaged, IndexMissing
from search.index.base import Base, open_base, set_aside
from search.index.build import Batch, alone, build_base
from search.index.manifest import MANIFEST, PREVIOUS, Kind, Manifest, kept_manifests, undo_switch
from search.index.protocol import Snapshot


class Store(Protocol):
    """The bases of one model version, in whatever engine keeps them.

    Every method may raise IndexUnreachable where the engine is a server.
    """

    def manifest(self) -> Manifest:
        """Of the base in use. Raises IndexMissing or IndexDamaged."""

    def open(self) -> Snapshot:
        """The base in use. Raises IndexMissing, also where what is here belongs to another model,
        or IndexDamaged."""

    def build(self, *, high_water_mark: int, batches: Iterable[Batch], dim: int) -> Manifest:
        """Make a base beside the one in use and switch to it. Raises IndexBusy."""

    def undo(self) -> Manifest:
        """Switch back to the base before. Raises IndexMissing if there is none."""

    def verify(self) -> Manifest:
        """Compare the whole base in use with what was written. Raises as `open` does."""

    def set_aside(self, base: str) -> bool:
        """Never open `base` again, which is damaged; the one before takes its place if there is
        one. Empty: the one whose manifest cannot be read. False if it is no longer in use."""

    def state(self) -> Hashable | None:
        """Something that differs as soon as another base is in use; None if there is none."""

    def oldest_mark(self) -> int:
        """The lowest high-water mark among the bases that may be opened again; 0 without any."""


@dataclass(frozen=True, slots=True)
class FolderStore:
    """FAISS bases in a folder of this machine, of the model `version` whose weights have the
    checksum `digest` (empty: not known)."""

    folder: Path
    version: str
    digest: str = ""
    kind: Kind | None = None  # follows from the count unless given

    def manifest(self) -> Manifest:
        return Manifest.read(self.folder)

    def open(self) -> Base:
        self._ours(self.manifest())
        return open_base(self.folder)

    def build(self, *, high_water_mark: int, batches: Iterable[Batch], dim: int) -> Manifest:
        return build_base(
            self.folder,
            version=self.version,
            digest=self.digest,
            high_water_mark=high_water_mark,
            batches=batches,
            dim=dim,
            kind=self.kind,
        )

    def undo(self) -> Manifest:
        self._ours(Manifest.read(self.folder, PREVIOUS))
        with alone(self.folder):
            return undo_switch(self.folder)

    def verify(self) -> Manifest:
        manifest = self.manifest()
        manifest.verify_files(self.folder)
        return manifest

    def set_aside(self, base: str) -> bool:
        if base != self._in_use() or set_aside(self.folder) is None:
            return False
        with suppress(FileNotFoundError):
            (self.folder / PREVIOUS).rename(self.folder / MANIFEST)
        return True

    def state(self) -> Hashable | None:
        try:
            stat = (self.folder / MANIFEST).stat()
        except FileNotFoundError:
            return None
        return stat.st_ino, stat.st_mtime_ns  # each manifest is another file

    def oldest_mark(self) -> int:
        kept = kept_manifests(self.folder)
        return min((manifest.high_water_mark for manifest in kept), default=0)

    def _in_use(self) -> str:
        try:
            return self.manifest().base
        except (IndexMissing, IndexDamaged):
            return ""

    def _ours(self, manifest: Manifest) -> None:
        """Vectors of two models never meet, even where somebody renamed a folder or replaced
        weights under the same name."""
        same_weights = not (self.digest and manifest.digest) or self.digest == manifest.digest
        if manifest.version != self.version or not same_weights:
            raise IndexMissing(f"The index in {self.folder.name} belongs to another model.")
