"""The immutable base of an index: opened memory-mapped, searched, never written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from search.errors import IndexDamaged
from search.index.manifest import MANIFEST, Kind, Manifest
from search.index.protocol import Scores, Vectors
from search.index.rows import Rows
from search.index.scoring import best, inner_products, nothing
from search.index.selection import Ids, Selection

IDS, VECTORS, INDEX = "ids.bin", "vectors.bin", "index.faiss"
CELLS, GROUPS = "cells.bin", "groups.bin"  # of each photo its cell and its group; may be missing
# How FAISS maps the codes of each kind.
MAPPED = {"flat": faiss.IO_FLAG_MMAP_IFC, "ivf": faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY}

# So few candidates are scored one by one from the file, which no approximation beats.
EXACT_UP_TO = 2_000
# Rows scored at once when many are scored exactly: 16 MiB as float32.
EXACT_CHUNK = 8_192
# Cells visited and candidates scored again exactly, where nothing limits the candidates. On a
# million vectors like real ones recall@10 is 1.000, of text-like queries 0.983; with 300 scored
# again 0.978. Reading as few as a first look calls promising (3 deviations) saved nothing.
NPROBE = 96
RERANKED = 400
# Under conditions that select at most this share, cells without any of the selected are left out.
COUNTED_UP_TO = 0.05
# Bits of each query component while it is compared with RaBitQ codes.
QUERY_BITS = 8


class Base:
    """Vectors of one model version as they were at the manifest's high-water mark.

    Safe to search from many threads. The pages are shared between processes.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self._folder, home = folder, folder / manifest.base
        self.ids: Ids = mapped(home / IDS, np.int64, (manifest.count,))
        self._vectors = Rows(home / VECTORS, manifest.dim)
        self._index = _read_index(home / INDEX, manifest.kind)
        self._centroids, self._cells = self._cell_tables(home)
        self.members = Selection.of(self.ids)

    def verify(self) -> None:
        """Raise IndexDamaged unless every byte is what was written. Reads all of it: seconds for a
        million photos, during which searches go on."""
        self.manifest.verify_files(self._folder)

    def by_group(self) -> Mapping[int, Selection] | None:
        if GROUPS not in self.manifest.files:
            return None
        groups = np.fromfile(self._folder / self.manifest.base / GROUPS, np.int64)
        order = np.argsort(groups, kind="stable")
        numbers, starts = np.unique(groups[order], return_index=True)
        parts = np.split(self.ids[order], starts[1:])
        return {int(number): Selection.of(ids) for number, ids in zip(numbers, parts, strict=True)}

    def search(self, query: Vectors, k: int, live: Selection) -> tuple[Scores, Ids]:
        """The `k` best of `live`, a subset of `members`, for `query` (dim,); fewer if it has fewer.

        The plan follows from the number of candidates: few are scored exactly; otherwise FAISS
        searches with `live` as its selector.
        """
        k = min(k, len(live))
        if k == 0:
            return nothing()
        if len(live) <= max(EXACT_UP_TO, k):
            ids = live.ids()
            return best(self.scores(query, ids), ids, k)
        if self.manifest.kind == "flat":
            return self._flat_search(query, k, live)
        return self._cell_search(query, k, live)

    def scores(self, query: Vectors, ids: Ids) -> Scores:
        """Exact scores (n,) of `ids` (n,), all of them members, for `query` (dim,)."""
        chunks = [ids[at : at + EXACT_CHUNK] for at in range(0, ids.size, EXACT_CHUNK)]
        scored = [inner_products(self.vectors(chunk), query) for chunk in chunks]
        return np.concatenate([np.zeros(0, np.float32), *scored])

    def vectors(self, ids: Ids) -> Vectors:
        """Vectors (n, dim) of `ids` (n,), all of them members."""
        return self._vectors.at(np.searchsorted(self.ids, ids))

    def _cell_tables(self, home: Path) -> tuple[Vectors, NDArray[np.integer] | None]:
        """Centroids (cells, dim) and of each photo its cell (n,), which old bases do not have."""
        if self.manifest.kind == "flat":
            return np.zeros((0, self.manifest.dim), np.float32), None
        quantizer, nlist = faiss.downcast_index(self._index.quantizer), self._index.nlist
        centroids = faiss.rev_swig_ptr(quantizer.get_xb(), nlist * self.manifest.dim)
        cells = None
        if CELLS in self.manifest.files:
            cells = mapped(home / CELLS, cell_type(nlist), (self.manifest.count,))
        return centroids.reshape(nlist, self.manifest.dim), cells

    def _flat_search(self, query: Vectors, k: int, live: Selection) -> tuple[Scores, Ids]:
        selector = faiss.IDSelectorBitmap(live.bitmap())
        with _one_thread():
            scores, ids = self._index.search(
                query[None], k, params=faiss.SearchParameters(sel=selector)
            )
        return scores[0], ids[0]

    def _cell_search(self, query: Vectors, k: int, live: Selection) -> tuple[Scores, Ids]:
        """Compressed vectors of the nearest cells, the best of them scored again exactly.

        A selective `live` thins out every cell, so more of them are visited; all of them before
        fewer than `k` are returned.
        """
        query = np.ascontiguousarray(query, np.float32)
        wanted = NPROBE * np.sqrt(self.manifest.count / len(live))
        near, cells = self._nearest_cells(query, live)
        while True:
            visited = int(min(wanted, cells.size))
            ids = self._candidates(
                query, max(RERANKED, 2 * k), live, near[:visited], cells[:visited]
            )
            if ids.size >= k or visited == cells.size:
                return best(self.scores(query, ids), ids, k)
            wanted *= 4

    def _nearest_cells(self, query: Vectors, live: Selection) -> tuple[Scores, Ids]:
        """Cells by how near they are, with that; under a selective condition only those that hold
        any of `live`: photos that satisfy one are often alike, and lie together elsewhere."""
        near = inner_products(self._centroids, query)
        cells = np.arange(near.size)
        if self._cells is not None and len(live) <= COUNTED_UP_TO * self.manifest.count:
            cells = np.unique(self._cells[np.searchsorted(self.ids, live.ids())]).astype(np.int64)
        cells = cells[np.argsort(-near[cells])]
        return near[cells], cells

    def _candidates(
        self, query: Vectors, count: int, live: Selection, near: Scores, cells: Ids
    ) -> Ids:
        selector = None  # all of them: nobody has to be asked
        if len(live) < self.manifest.count:
            selector = faiss.IDSelectorBitmap(live.bitmap())
        parameters = faiss.IVFRaBitQSearchParameters(sel=selector, nprobe=cells.size)
        parameters.qb = QUERY_BITS
        scores, ids = np.empty(count, np.float32), np.empty(count, np.int64)
        given = map(faiss.swig_ptr, (cells, near, scores, ids))
        with _one_thread():  # the wrapper for Python takes no parameters
            self._index.search_preassigned_c(
                1, faiss.swig_ptr(query), count, *given, False, parameters
            )
        return ids[ids >= 0]


@contextmanager
def _one_thread() -> Iterator[None]:
    """One query is too little to share out: waiting for a second thread on a busy machine took
    5 ms where the search alone took 0.1. The setting is the calling thread's own."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def open_base(folder: Path) -> Base:
    """The base in use in `folder`, at once: lengths, ids and what FAISS parses are verified, the
    rest is for `Base.verify`.

    Raises IndexMissing if none was built, IndexDamaged if a file is not what was written; then
    `set_aside` it and build again from the database.
    """
    manifest = Manifest.read(folder)
    manifest.verify_heads(folder)
    try:
        return Base(folder, manifest)
    except (OSError, RuntimeError, ValueError) as error:
        raise IndexDamaged(f"The index cannot be opened: {error}", manifest.base) from error


def set_aside(folder: Path) -> Path | None:
    """Rename a damaged manifest so that nobody opens it again; its new path, if there was one.

    Its base stays for whoever wants to look, until the next build clears it away.
    """
    damaged = folder / f"{MANIFEST}.damaged"
    try:
        return (folder / MANIFEST).replace(damaged)
    except FileNotFoundError:
        return None


def mapped(path: Path, dtype: type, shape: tuple[int, ...]) -> NDArray:
    """The array in a file, memory-mapped for reading."""
    if not shape[0]:  # an empty file cannot be mapped
        return np.zeros(shape, dtype)
    return np.memmap(path, dtype, "r", shape=shape)


def cell_type(nlist: int) -> type:
    return np.uint16 if nlist <= 1 << 16 else np.uint32


def _read_index(path: Path, kind: Kind) -> faiss.Index:
    """Map an index; for cells without FAISS's threads that read ahead, as starting one costs more
    than a whole search."""
    index = faiss.read_index(str(path), MAPPED[kind])
    if kind == "ivf":
        faiss.downcast_InvertedLists(index.invlists).prefetch_nthread = 0
    return index
