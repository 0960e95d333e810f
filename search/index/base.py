"""The immutable base of an index: opened memory-mapped, searched, never written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from search.errors import IndexDamaged
from search.index.manifest import MANIFEST, Kind, Manifest
from search.index.protocol import Scores, Vectors
from search.index.rows import Rows
from search.index.scoring import (
    best,
    inner_products,
    nothing,
    one_thread,
    stored_index,
    stored_products,
)
from search.index.selection import Ids, Places, Selection

IDS, VECTORS, INDEX = "ids.bin", "vectors.bin", "index.faiss"
CELLS, GROUPS = "cells.bin", "groups.bin"  # of each photo its cell and its group; may be missing
ROTATION = "rotation.bin"  # by which vectors are turned before they are coded; old bases have none
# How FAISS maps the codes of each kind.
MAPPED = {"flat": faiss.IO_FLAG_MMAP_IFC, "ivf": faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY}

# So few candidates are scored one by one from the file, which no approximation beats.
EXACT_UP_TO = 2_000
# Rows scored at once when many are scored exactly: 8 MiB.
EXACT_CHUNK = 8_192
# What share of the cells is visited, times the root of how many photos are candidates: of a million
# 2 %. On a million vectors like real ones 1.6 % lost recall@10 of 0.001, 2.4 % gained none.
REACH = 20
# Where hardly anything limits the candidates and few are wanted, cells whose centroid scores so
# much less than the nearest are left out: to be among the best, a photo of theirs would have to lie
# towards the query by some four deviations. Of a million that leaves 13 cells for photo-like
# queries and 20 for text-like ones, and costs a recall@10 of 0.001. Of smaller libraries, where
# the best are not as near, it cost more; cells of so many photos are visited at least.
LOWER_BY_AT_MOST = 0.13
COMPARED_AT_LEAST = 5_000
FEW = 50
# Candidates that cells offer, by their codes. So many of these are scored exactly at once, and more
# for as long as the next may well be among the best, by this many of the usual errors (medians) of
# their estimates. On a million vectors like real ones that reads 146 for photo-like queries, with
# recall@10 0.999, and 354 for text-like ones, with 0.993; 600 offered take 0.1 ms more, for 0.995.
# Among ten million more lie as near: text-like ones find 0.954 of the best among 400, 0.996 among
# 1,265, which the root of how many photos there are makes of it.
OFFERED, OFFERED_OF_ROOT = 400, 0.4
RESCORED_AT_ONCE = 100
MAY_BE_WRONG_BY = 2.4
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
        self._vectors = Rows(home / VECTORS, manifest.dim)
        self._index = _read_index(home / INDEX, manifest.kind)
        self._cells: NDArray[np.integer] | None = None  # which old bases do not have
        if manifest.kind == "ivf":
            self._coarse = self._coarse_index()
            self._rotation = self._read_rotation(home)
            if CELLS in manifest.files:
                cell = cell_type(self._index.nlist)
                self._cells = mapped(home / CELLS, cell, (manifest.count,))
        self.members = Selection.of(mapped(home / IDS, np.int64, (manifest.count,)))
        self._places = Places(self.members)

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
        parts = np.split(self.members.ids()[order], starts[1:])
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

    def near(self, query: Vectors, k: int, live: Selection) -> Ids:
        """About the `k` nearest of `live` to `query` (dim,), by their codes alone."""
        if self.manifest.kind == "flat" or len(live) <= max(EXACT_UP_TO, k):
            return self.search(query, k, live)[1]
        return self._found_in_cells(np.ascontiguousarray(query, np.float32), k, k, live)[1]

    def scores(self, query: Vectors, ids: Ids) -> Scores:
        """Exact scores (n,) of `ids` (n,), all of them members, for `query` (dim,)."""
        chunks = [ids[at : at + EXACT_CHUNK] for at in range(0, ids.size, EXACT_CHUNK)]
        scored = [stored_products(self._stored(chunk), query) for chunk in chunks]
        return np.concatenate([np.zeros(0, np.float32), *scored])

    def vectors(self, ids: Ids) -> Vectors:
        """Vectors (n, dim) of `ids` (n,), all of them members."""
        return self._stored(ids).astype(np.float32)

    def _stored(self, ids: Ids) -> NDArray[np.float16]:
        return self._vectors.at(self._places.of(ids))

    def _coarse_index(self) -> faiss.Index:
        """The centroids (cells, dim) in float16, in which the nearest are found twice as fast as in
        the float32 that FAISS keeps for the codes."""
        quantizer, nlist = faiss.downcast_index(self._index.quantizer), self._index.nlist
        centroids = faiss.rev_swig_ptr(quantizer.get_xb(), nlist * self.manifest.dim)
        return stored_index(centroids.reshape(nlist, -1).astype(np.float16))

    def _read_rotation(self, home: Path) -> Vectors | None:
        if ROTATION not in self.manifest.files:
            return None
        return np.fromfile(home / ROTATION, np.float32).reshape(self.manifest.dim, -1)

    def _selector(self, live: Selection) -> faiss.IDSelector | None:
        """What tells FAISS which are candidates; None if all are."""
        all_of_them = len(live) == self.manifest.count
        return None if all_of_them else faiss.IDSelectorBitmap(live.bitmap())

    def _flat_search(self, query: Vectors, k: int, live: Selection) -> tuple[Scores, Ids]:
        parameters = faiss.SearchParameters(sel=self._selector(live))
        with one_thread():
            scores, ids = self._index.search(query[None], k, params=parameters)
        return scores[0], ids[0]

    def _cell_search(self, query: Vectors, k: int, live: Selection) -> tuple[Scores, Ids]:
        """Compressed vectors of the nearest cells, the best of them scored again exactly."""
        query = np.ascontiguousarray(query, np.float32)
        offered = max(OFFERED, int(OFFERED_OF_ROOT * np.sqrt(self.manifest.count)), 2 * k)
        found = self._found_in_cells(query, k, offered, live)
        return self._rescored(query, k, *found)

    def _found_in_cells(
        self, query: Vectors, least: int, most: int, live: Selection
    ) -> tuple[Scores, Ids]:
        """Up to `most` of `live` from the nearest cells, with the scores that their codes give.

        A selective `live` thins out every cell, so more of them are visited; all of them before
        fewer than `least` are returned.
        """
        if self._rotation is not None:
            query = inner_products(self._rotation, query)
        among = self._holding(live)
        cells = self._index.nlist if among is None else len(among)
        wanted = max(1, REACH * self._index.nlist / np.sqrt(len(live)))
        stop_early = least <= FEW and 2 * len(live) > self.manifest.count
        while True:
            visited = int(min(wanted, cells))
            near, nearest = self._nearest_cells(query, visited, among)
            if stop_early:
                near = self._promising(near)
            estimates, ids = self._candidates(query, most, live, near, nearest[: near.size])
            if ids.size >= least or (visited == cells and not stop_early):
                return estimates, ids
            wanted, stop_early = 4 * wanted, False

    def _promising(self, near: Scores) -> Scores:
        """Those of the nearest cells that may hold any of the best."""
        at_least = COMPARED_AT_LEAST * self._index.nlist // self.manifest.count
        too_low = near < near[0] - LOWER_BY_AT_MOST
        return near[: max(near.size - int(too_low.sum()), at_least)]

    def _holding(self, live: Selection) -> Selection | None:
        """Under a selective condition the cells that hold any of `live`: photos that satisfy one
        are often alike, and lie together elsewhere. None: any cell may."""
        if self._cells is None or len(live) > COUNTED_UP_TO * self.manifest.count:
            return None
        return Selection.of(self._cells[self._places.of(live.ids())])

    def _nearest_cells(
        self, query: Vectors, count: int, among: Selection | None
    ) -> tuple[Scores, Ids]:
        """How near the `count` nearest cells are, and which they are."""
        parameters = None
        if among is not None:
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(among.bitmap()))
        with one_thread():
            (near,), (cells,) = self._coarse.search(query[None], count, params=parameters)
        return near, cells

    def _rescored(self, query: Vectors, k: int, estimates: Scores, ids: Ids) -> tuple[Scores, Ids]:
        """The `k` best of `ids` by their exact scores, most promising first, until the estimates
        of all others are too low."""
        scores = self.scores(query, ids[: max(RESCORED_AT_ONCE, 2 * k)])
        while scores.size < ids.size:
            error = _highest(np.abs(scores - estimates[: scores.size]), scores.size // 2)
            if estimates[scores.size] + MAY_BE_WRONG_BY * error < _highest(scores, k):
                break
            following = ids[scores.size : scores.size + RESCORED_AT_ONCE]
            scores = np.concatenate([scores, self.scores(query, following)])
        return best(scores, ids[: scores.size], k)

    def _candidates(
        self, query: Vectors, count: int, live: Selection, near: Scores, cells: Ids
    ) -> tuple[Scores, Ids]:
        """The `count` best of `live` in `cells` by their codes, with their estimated scores."""
        parameters = faiss.IVFRaBitQSearchParameters(sel=self._selector(live), nprobe=cells.size)
        parameters.qb = QUERY_BITS
        scores, ids = np.empty(count, np.float32), np.empty(count, np.int64)
        given = map(faiss.swig_ptr, (cells, near, scores, ids))
        with one_thread():  # the wrapper for Python takes no parameters
            self._index.search_preassigned_c(
                1, faiss.swig_ptr(query), count, *given, False, parameters
            )
        found = live.contains(ids)  # no -1, nor a number from a damaged list
        return scores[found], ids[found]


def _highest(numbers: Scores, rank: int) -> float:
    """The `rank`-th highest of `numbers` (n,), from 1 on."""
    return float(np.partition(numbers, -rank)[-rank])


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
