"""The measurement itself, in a process whose data folder is the benchmark's own.

Called by `webapp.find.benchmarks.search` as `python -m … VECTORS QUERIES`; prints one JSON object.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import django
import faiss
import numpy as np
from numpy.typing import NDArray

HTTP_WARM_UP = 20
DIM = 512


def main(vectors: int, queries: int) -> dict[str, Any]:
    from webapp.find.benchmarks import _drawn, _library
    from webapp.find.building import build_index, index_folder
    from webapp.teach.services import active_version

    _say(f"Filling a library of {vectors:,} photos …")
    owner = _library.fill(_drawn.photo_vectors(vectors, seed=0))
    _say("Making the index …")
    started = time.perf_counter()
    manifest = build_index(active_version())
    build_s = time.perf_counter() - started
    folder = index_folder(active_version())
    figures = _index_figures(folder, vectors, queries)
    _say("Asking the web server …")
    return {
        "vectors": vectors,
        "kind": manifest.kind,
        "build_s": round(build_s, 1),
        "bytes_per_photo": manifest.files["index.faiss"].size_bytes / vectors,
        **figures,
        **_http_figures(owner, queries),
    }


def _index_figures(folder: Any, vectors: int, queries: int) -> dict[str, Any]:
    """The index as a web process opens it beside flat search, on both kinds of queries."""
    from search.index import LayeredIndex, open_base
    from webapp.find.benchmarks import _drawn

    _say("Comparing with flat search …")
    flat = faiss.IndexFlatIP(DIM)
    for batch in _drawn.photo_vectors(vectors, seed=0):
        flat.add(batch.astype(np.float16).astype(np.float32))
    base = open_base(folder)
    index = LayeredIndex(base)
    photos = np.concatenate(list(_drawn.photo_vectors(queries, seed=1)))
    texts = _drawn.text_like(photos, seed=2)

    def by_flat(query: NDArray[np.float32]) -> NDArray[np.int64]:
        found: NDArray[np.int64] = base.ids[flat.search(query[None], 10)[1][0]]
        return found

    def by_index(query: NDArray[np.float32]) -> NDArray[np.int64]:
        return index.search(query, 10)[1][0]

    flat_ids, flat_s = _timed(by_flat, photos)
    ids, index_s = _timed(by_index, photos)
    text_ids, _ = _timed(by_index, texts)
    exact_text_ids, _ = _timed(by_flat, texts)
    return {
        "recall@10": _recall(ids, flat_ids),
        "recall@10_text": _recall(text_ids, exact_text_ids),
        "index": _percentiles(index_s),
        "baseline": _percentiles(flat_s),
        "ratio_to_flat": float(np.median(flat_s) / np.median(index_s)),
    }


def _http_figures(owner: Any, queries: int) -> dict[str, Any]:
    """Whole requests for the search page, each with a query that was never asked before."""
    from webapp.find.benchmarks import _drawn, _server

    wanted = list(dict.fromkeys(_drawn.captions(20 * queries, seed=3)))[: queries + HTTP_WARM_UP]
    with _server.running_server(owner) as server:
        server.ask(wanted[:HTTP_WARM_UP])
        seconds = server.ask(wanted[HTTP_WARM_UP:])
        workers = server.workers()
        return {
            **_percentiles(seconds),
            "web_process_mb": max(each.memory_info().rss for each in workers) / 1e6,
            "torch_loaded": any(
                "torch" in mapped.path for each in workers for mapped in each.memory_maps()
            ),
        }


def _timed(
    search: Callable[[NDArray[np.float32]], NDArray[np.int64]], queries: NDArray[np.float32]
) -> tuple[list[NDArray[np.int64]], list[float]]:
    found, seconds = [], []
    for query in queries:
        started = time.perf_counter()
        found.append(search(query))
        seconds.append(time.perf_counter() - started)
    return found, seconds


def _recall(found: Sequence[NDArray[np.int64]], exact: Sequence[NDArray[np.int64]]) -> float:
    return float(
        np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found, exact, strict=True)])
    )


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    p50, p99 = np.percentile(seconds, [50, 99]) * 1000
    return {"p50_ms": float(p50), "p99_ms": float(p99)}


def _say(message: str) -> None:
    sys.stderr.write(f"{message}\n")


if __name__ == "__main__":
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    sys.stdout.write(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))))
