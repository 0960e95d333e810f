"""python -m webapp.find.benchmarks._rivals NAME BASE RECALL: another library over the same vectors.

Its graph is searched ever wider until it finds as much as we do, RECALL; that is where time and
memory are compared. Both are set up as their own documentation has it for vectors of this kind.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hnswlib
import numpy as np
import psutil
from usearch.index import Index

from webapp.find.benchmarks import _measures

CONNECTIONS, BUILT_WITH = 16, 128  # M and ef while building: what both take unless told otherwise
WIDTHS = (16, 32, 64, 128, 256, 512, 1024)


def main(name: str, base: Path, wanted: float) -> dict[str, Any]:
    ids = np.fromfile(base / "ids.bin", np.int64)
    rows = _measures.vectors_of(base, ids.size, 512)
    with np.load(base.parent / "questions.npz") as asked:
        queries, exact = asked["vectors"], list(asked["exact"])
    before, started = psutil.Process().memory_info().rss, time.perf_counter()
    search, widen = {"usearch": _usearch, "hnswlib": _hnswlib}[name](ids, rows)
    build_s = time.perf_counter() - started
    del rows
    grown = psutil.Process().memory_info().rss - before
    for width in WIDTHS:
        widen(width)
        found, *seconds = _measures.timed(search, queries)
        reached = _measures.recall(found, exact)
        if reached >= wanted:
            break
    return {
        "recall@10": reached,
        "width": width,
        **_measures.both(*seconds),
        "bytes_per_photo": grown / ids.size,
        "build_s": round(build_s, 1),
    }


Made = tuple[_measures.Search, Callable[[int], None]]


def _usearch(ids: Any, rows: Any) -> Made:
    """Vectors in float16, as ours."""
    index = Index(
        ndim=512, metric="ip", dtype="f16", connectivity=CONNECTIONS, expansion_add=BUILT_WITH
    )
    for part in _parts(ids):
        index.add(ids[part], np.array(rows[part]))

    def widen(width: int) -> None:
        index.expansion_search = width  # type: ignore[misc]  # its setter is not annotated

    return lambda query: np.asarray(index.search(query, _measures.K, threads=1).keys), widen


def _hnswlib(ids: Any, rows: Any) -> Made:
    """It knows float32 alone."""
    index = hnswlib.Index(space="ip", dim=512)
    index.init_index(max_elements=ids.size, M=CONNECTIONS, ef_construction=BUILT_WITH)
    for part in _parts(ids):
        index.add_items(rows[part].astype(np.float32), ids[part])
    index.set_num_threads(1)
    return lambda query: index.knn_query(query, k=_measures.K)[0][0].astype(np.int64), index.set_ef


def _parts(ids: Any) -> list[slice]:
    size = _measures.ROWS_AT_ONCE
    return [slice(at, at + size) for at in range(0, len(ids), size)]


if __name__ == "__main__":
    name, base, wanted = sys.argv[1:]
    sys.stdout.write(json.dumps(main(name, Path(base), float(wanted))))
