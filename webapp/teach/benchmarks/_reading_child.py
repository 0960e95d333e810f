"""One side of `benchmark reading`, in a process of its own.

`python -m webapp.teach.benchmarks._reading_child plain|ours FOLDER` prints one JSON object: the
words that were read in each photo, processor seconds a photo with and without a sign, memory.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vision.reading.reader import CLASSIFIER, DETECTOR, RECOGNISER, load_reader, model_path

Read = Callable[[Path], list[str]]


def plain() -> Read:
    """RapidOCR with its own settings, on the original, one thread."""
    from rapidocr import RapidOCR

    engine = RapidOCR(
        params={
            "Global.log_level": "error",
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Det.model_path": str(model_path(DETECTOR)),
            "Cls.model_path": str(model_path(CLASSIFIER)),
            "Rec.model_path": str(model_path(RECOGNISER)),
        }
    )

    def read(path: Path) -> list[str]:
        found: Any = engine(np.ascontiguousarray(_pixels(path.with_suffix(".jpg"))[:, :, ::-1]))
        return list(found.txts or ())

    return read


def ours() -> Read:
    """What a worker does, on the large thumbnail."""
    reader = load_reader(threads=1)
    return lambda path: [line.text for line in reader.read(_pixels(path.with_suffix(".webp")))]


def measure(read: Read, folder: Path) -> dict[str, Any]:
    words: dict[str, list[str]] = {}
    seconds: dict[str, list[float]] = {"sign": [], "bare": []}
    for path in sorted(folder.glob("*.jpg")):
        started = time.process_time()
        lines = read(path)
        seconds[path.stem.split("-")[0]].append(time.process_time() - started)
        words[path.stem] = [word for line in lines for word in line.split()]
    return {
        "words": words,
        "sign_cpu_s": float(np.mean(seconds["sign"])),
        "bare_cpu_s": float(np.mean(seconds["bare"])),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _pixels(path: Path) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


if __name__ == "__main__":
    side, folder = sys.argv[1:]
    print(json.dumps(measure({"plain": plain, "ours": ours}[side](), Path(folder))))  # noqa: T201
