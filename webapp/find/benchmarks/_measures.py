"""What the programs of this benchmark share: questions with their answers, time and memory."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from search.index import Ids, Selection, Vectors
from webapp.find.benchmarks import _drawn

K = 10
SHARES = (0.001, 0.01, 0.1, 0.9)  # of the photos that a condition selects
ROWS_AT_ONCE = 20_000

Found = list[Ids]
Search = Callable[[NDArray[np.float32]], Ids]


@dataclass(frozen=True)
class Questions:
    """Queries like photos and like texts (2q, 512), the former first."""

    vectors: Vectors

    @classmethod
    def draw(cls, count: int) -> "Questions":
        photos = np.concatenate(list(_drawn.photo_vectors(count, seed=1)))
        return cls(np.concatenate([photos, _drawn.text_like(photos, seed=2)]))

    @property
    def photo_like(self) -> Vectors:
        return self.vectors[: len(self.vectors) // 2]

    @property
    def text_like(self) -> Vectors:
        return self.vectors[len(self.vectors) // 2 :]


def chosen(ids: Ids, share: float) -> Selection:
    """Photos that a condition selects, by chance."""
    chance = np.random.default_rng(int(share * 10_000))
    return Selection.of(ids[chance.random(ids.size) < share])


def exact_answers(
    questions: Questions, ids: Ids, rows: NDArray[np.float16], among: Sequence[Selection]
) -> list[Found]:
    """For each selection and question the best photos, by scores of every row in fp32."""
    best_scores = np.full((len(among), len(questions.vectors), K), -np.inf, np.float32)
    best_ids = np.full(best_scores.shape, -1, np.int64)
    inside = [selection.contains(ids) for selection in among]
    for at in range(0, ids.size, ROWS_AT_ONCE):
        part = slice(at, at + ROWS_AT_ONCE)
        scores = questions.vectors @ rows[part].astype(np.float32).T
        for number, mask in enumerate(inside):
            pool = np.concatenate([best_scores[number], scores[:, mask[part]]], axis=1)
            new_ids = np.broadcast_to(ids[part][mask[part]], (len(scores), mask[part].sum()))
            pool_ids = np.concatenate([best_ids[number], new_ids], axis=1)
            top = np.argpartition(pool, -K, axis=1)[:, -K:]
            best_scores[number] = np.take_along_axis(pool, top, axis=1)
            best_ids[number] = np.take_along_axis(pool_ids, top, axis=1)
    return [[row[row >= 0] for row in found] for found in best_ids]


def timed(search: Search, queries: Vectors) -> tuple[Found, list[float], list[float]]:
    """Answers, and of each the seconds that passed and those that this thread worked."""
    found, passed, worked = [], [], []
    for query in queries:
        started, at_work = time.perf_counter(), time.thread_time()
        found.append(search(query))
        passed.append(time.perf_counter() - started)
        worked.append(time.thread_time() - at_work)
    return found, passed, worked


def recall(found: Found, exact: Found) -> float:
    """Mean share of the exact answers that were found."""
    shares = [
        len(set(a.tolist()) & set(b.tolist())) / len(b)
        for a, b in zip(found, exact, strict=True)
        if len(b)
    ]
    return float(np.mean(shares))


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    p50, p99 = np.percentile(seconds, [50, 99]) * 1000
    return {"p50_ms": float(p50), "p99_ms": float(p99)}


def both(passed: Sequence[float], worked: Sequence[float]) -> dict[str, float]:
    """Milliseconds by the clock, and of this thread's own work: the same on a machine at rest."""
    work = percentiles(worked)
    return percentiles(passed) | {"work_p50_ms": work["p50_ms"], "work_p99_ms": work["p99_ms"]}


def memory(process: psutil.Process, *, but: Sequence[str] = ()) -> dict[str, float]:
    """Bytes of a process in memory, without maps of files whose path contains one of `but`; `pss`
    counts pages shared with other processes by their share."""
    maps = [m for m in process.memory_maps() if not any(word in m.path for word in but)]
    return {
        "rss": float(sum(each.rss for each in maps)),
        "pss": float(sum(each.pss for each in maps)),
    }


def vectors_of(base: Path, count: int, dim: int) -> NDArray[np.float16]:
    """All vectors of a base, mapped."""
    rows: NDArray[Any] = np.memmap(base / "vectors.bin", np.float16, "r", shape=(count, dim))
    return rows
