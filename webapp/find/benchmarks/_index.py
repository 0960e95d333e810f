"""python -m webapp.find.benchmarks._index VECTORS QUERIES RIVALS: the measurement itself.

In a process of its own, in the data folder that MAREA_DATA names; prints one JSON object.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import django
import faiss
import numpy as np
import psutil

DIM = 512
FLAT_ROWS = 1_000_000  # 2 GB in fp32
FLAT_QUERIES = 30  # flat search takes a sixth of a second for a million
CHANGES, FIRST_NEW = 200, 1 << 28  # ids beyond all others
RIVALS = ("usearch", "hnswlib")


def main(vectors: int, queries: int, rivals: bool) -> dict[str, Any]:
    from django.conf import settings

    from search.index import FolderStore, LayeredIndex
    from webapp.find.benchmarks import _measures
    from webapp.find.benchmarks._measures import Questions

    store = FolderStore(Path(settings.MAREA_INDEX), "benchmark")
    build_s = _built(store, vectors)
    base = store.open()
    manifest = base.manifest
    index, questions = LayeredIndex(base), Questions.draw(queries)
    ids = base.members.ids()
    rows = _measures.vectors_of(store.folder / manifest.base, vectors, DIM)
    conditions = [_measures.chosen(ids, share) for share in _measures.SHARES]
    _say("Comparing with every vector …")
    exact, *exact_among = _measures.exact_answers(questions, ids, rows, [base.members, *conditions])
    figures = {
        "vectors": vectors,
        "kind": manifest.kind,
        "build_s": round(build_s, 1),
        "file_bytes_per_photo": manifest.files["index.faiss"].size_bytes / vectors,
        **_speed(index, questions, exact),
        "conditions": _conditions(index, questions, conditions, exact_among),
        "changes": _changes(index, questions),
    }
    del index, base
    figures["baseline"] = _flat(rows, questions)
    for kind in ("", "work_"):
        p50 = f"{kind}p50_ms"
        figures[f"{kind}ratio_to_flat"] = figures["baseline"][p50] / figures[p50]
    figures |= _resident(store.folder, questions, vectors)
    if rivals:
        np.savez(
            store.folder / "questions.npz", vectors=questions.photo_like, exact=exact[:queries]
        )
        figures["rivals"] = {
            name: _apart("_rivals", name, store.folder / manifest.base, figures["recall@10"])
            for name in RIVALS
        }
    return figures


def _built(store: Any, vectors: int) -> float:
    """How many seconds making the index took; if it is there, when it was made."""
    note = store.folder / "built.json"
    if not note.exists():
        _say(f"Making an index of {vectors:,} photos …")
        started = time.perf_counter()
        store.build(high_water_mark=1, batches=_batches(vectors), dim=DIM)
        note.write_text(json.dumps({"build_s": time.perf_counter() - started}))
    build_s: float = json.loads(note.read_text())["build_s"]
    return build_s


def _batches(vectors: int) -> Iterator[tuple[Any, Any]]:
    from webapp.find.benchmarks import _drawn

    first = 1
    for batch in _drawn.photo_vectors(vectors, seed=0):
        yield np.arange(first, first + len(batch)), batch
        first += len(batch)


def _speed(index: Any, questions: Any, exact: Any) -> dict[str, Any]:
    from webapp.find.benchmarks import _measures

    def search(query: Any) -> Any:
        return index.search(query, _measures.K)[1][0]

    _measures.timed(search, questions.photo_like[:20])
    photo_ids, *photo_s = _measures.timed(search, questions.photo_like)
    text_ids, *text_s = _measures.timed(search, questions.text_like)
    half = len(photo_ids)
    return {
        "recall@10": _measures.recall(photo_ids, exact[:half]),
        "recall@10_text": _measures.recall(text_ids, exact[half:]),
        **_measures.both(*photo_s),
        "text": _measures.both(*text_s),
    }


def _conditions(index: Any, questions: Any, conditions: Any, exact: Any) -> list[dict[str, Any]]:
    from webapp.find.benchmarks import _measures

    figures = []
    half = len(questions.photo_like)
    for share, among, answers in zip(_measures.SHARES, conditions, exact, strict=True):

        def search(query: Any, among: Any = among) -> Any:
            found = index.search(query, _measures.K, among)[1][0]
            return found[found >= 0]

        found, *seconds = _measures.timed(search, questions.vectors)
        figures.append(
            {
                "share": share,
                "recall@10": _measures.recall(found[:half], answers[:half]),
                "recall@10_text": _measures.recall(found[half:], answers[half:]),
                **_measures.both(*seconds),
            }
        )
    return figures


def _changes(index: Any, questions: Any) -> dict[str, Any]:
    """Photos added and removed one by one, each looked for at once, while others search."""
    from webapp.find.benchmarks import _measures

    done = threading.Event()
    reading: list[float] = []

    def read() -> None:
        while not done.is_set():
            started = time.perf_counter()
            index.search(questions.text_like[len(reading) % len(questions.text_like)], _measures.K)
            reading.append(time.perf_counter() - started)

    reader = threading.Thread(target=read)
    reader.start()
    adding, removing, seen, gone = [], [], 0, 0
    for number in range(CHANGES):
        photo_id = FIRST_NEW + number
        vector = questions.photo_like[number % len(questions.photo_like)]
        started = time.perf_counter()
        index.add([photo_id], vector[None])
        adding.append(time.perf_counter() - started)
        seen += photo_id in index.search(vector, _measures.K)[1]
        started = time.perf_counter()
        index.remove([photo_id])
        removing.append(time.perf_counter() - started)
        gone += photo_id not in index.search(vector, _measures.K)[1]
    done.set()
    reader.join()
    return {
        "found_at_once": seen / CHANGES,
        "gone_at_once": gone / CHANGES,
        "add": _measures.percentiles(adding),
        "remove": _measures.percentiles(removing),
        "search_meanwhile": _measures.percentiles(reading),
    }


def _flat(rows: Any, questions: Any) -> dict[str, float]:
    """FAISS flat search over the same vectors in fp32, with the threads that it takes by itself.

    Ten million fill more memory than a home's machine has, so it goes part by part and adds up.
    """
    from webapp.find.benchmarks import _measures

    queries = questions.photo_like[:FLAT_QUERIES]
    passed, worked = np.zeros(len(queries)), np.zeros(len(queries))
    for start in range(0, len(rows), FLAT_ROWS):
        flat = faiss.IndexFlatIP(DIM)
        part = rows[start : start + FLAT_ROWS]
        for at in range(0, len(part), _measures.ROWS_AT_ONCE):
            flat.add(part[at : at + _measures.ROWS_AT_ONCE].astype(np.float32))
        _, *seconds = _measures.timed(partial(_flat_answer, flat), queries)
        passed, worked = passed + seconds[0], worked + seconds[1]
    return _measures.both(passed.tolist(), worked.tolist())


def _flat_answer(flat: Any, query: Any) -> Any:
    from webapp.find.benchmarks import _measures

    return flat.search(query[None], _measures.K)[1]


def _resident(folder: Path, questions: Any, vectors: int) -> dict[str, Any]:
    """Two processes open the index and search; what each has in memory more than before."""
    np.save(folder / "questions.npy", questions.vectors)
    command = [sys.executable, "-m", "webapp.find.benchmarks._resident", str(folder)]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [json.loads(child.stdout.readline()) for child in children if child.stdout]
    from webapp.find.benchmarks._measures import memory

    after = [memory(psutil.Process(child.pid)) for child in children]
    for child in children:
        child.communicate("done")
    grown = {
        kind: float(np.mean([a[kind] - s[kind] for a, s in zip(after, said, strict=True)]))
        for kind in ("rss", "pss")
    }
    return {
        "bytes_per_photo": grown["rss"] / vectors,
        "shared_bytes_per_photo": grown["pss"] / vectors,
        "opening_ms": 1000 * min(each["opening_s"] for each in said),
    }


def _apart(module: str, *arguments: object) -> dict[str, Any]:
    _say(f"Measuring {arguments[0]} …")
    command = [sys.executable, "-m", f"webapp.find.benchmarks.{module}", *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _say(message: str) -> None:
    sys.stderr.write(f"{message}\n")


if __name__ == "__main__":
    django.setup()
    figures = main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "rivals")
    sys.stdout.write(json.dumps(figures))
