"""python -m webapp.find.benchmarks._resident FOLDER: open an index, search, wait to be looked at.

Prints what the process had in memory before it opened the index, with all libraries at work, and
how long opening took; stays until its standard input has something to say.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import psutil

from search.index import LayeredIndex, build_base, open_base
from webapp.find.benchmarks._measures import K, memory


def main(folder: Path) -> None:
    questions = np.load(folder / "questions.npy")
    _warm_up(folder / "small", questions)
    before = memory(psutil.Process())
    started = time.perf_counter()
    base = open_base(folder)
    opening_s = time.perf_counter() - started
    index = LayeredIndex(base)
    for query in questions:
        index.search(query, K)
    sys.stdout.write(json.dumps(before | {"opening_s": opening_s}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


def _warm_up(folder: Path, questions: np.ndarray) -> None:
    """What FAISS and NumPy take for themselves is not the index's."""
    small = folder.with_name(f"{folder.name}-{time.monotonic_ns()}")
    batches = [(range(len(questions)), questions)]
    build_base(small, version="small", high_water_mark=1, batches=batches, kind="ivf")
    index = LayeredIndex(open_base(small))
    for query in questions:
        index.search(query, K)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
