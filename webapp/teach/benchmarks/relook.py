"""Looking at --photos photos again with a version of which only one part was trained anew.

The version that ships looks for everything, for tags alone and for captions alone; the rest would
be copied from what the version before saw. Decoding is measured apart, as it is the same for all:
each photo is a drawn 12-megapixel JPEG.
"""

import time
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from webapp.library.benchmarks._photos import write_photo
from webapp.library.services.decoding import decoders
from webapp.terminal import table as text_table

DIFFERENT = 8  # photos that are drawn; others are the same again
WANTED = {
    "everything": frozenset({"embedding", "tags", "captions"}),
    "captions": frozenset({"captions"}),
    "tags": frozenset({"tags"}),
}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--photos", type=int, default=128, help="default: 128")


def run(options: Mapping[str, Any]) -> dict[str, Any]:
    from vision.eye import load_eye
    from webapp.teach.versions.folders import folder_to_measure

    count = options["photos"]
    eye = load_eye(folder_to_measure())
    with TemporaryDirectory(prefix="marea-benchmark-") as folder:
        paths = [write_photo(Path(folder) / f"{n}.jpg", seed=n) for n in range(DIFFERENT)]
        _decoded(paths[0], eye.input_size)  # warm
        begun = _decoders_s()
        drawn = [_decoded(path, eye.input_size) for path in paths]
        decoding = _decoders_s() - begun
    images = [drawn[number % DIFFERENT] for number in range(count)]
    eye.look(images[:DIFFERENT])  # warm
    seconds = {name: _looking_s(eye, images, wanted) / count for name, wanted in WANTED.items()}
    return {"photos": count, "decode_s": decoding / DIFFERENT, "look_s": seconds}


def _decoded(path: Path, size: int) -> Any:
    return decoders().render(path, network_size=size, thumbnails={}).pixels


def _decoders_s() -> float:
    """Of processor that the decoding processes have used."""
    used = (psutil.Process(pid).cpu_times() for pid in decoders().pids())
    return float(sum(each.user + each.system for each in used))


def _looking_s(eye: Any, images: Sequence[Any], wanted: frozenset[str]) -> float:
    begun = time.process_time()
    eye.look(images, wanted=wanted)
    return time.process_time() - begun


def table(figures: Mapping[str, Any]) -> str:
    decode, look = figures["decode_s"], figures["look_s"]
    rows = [
        (
            name,
            f"{1000 * seconds:.1f}",
            f"{look['everything'] / seconds:.1f}",
            f"{(decode + look['everything']) / (decode + seconds):.1f}",
        )
        for name, seconds in look.items()
    ]
    head = ["looked for", "ms of processor a photo", "times faster", "with decoding"]
    said = f"{figures['photos']} photos; decoding one takes {1000 * decode:.1f} ms more."
    return f"{text_table(head, rows)}\n\n{said} Another text side needs no look: rows are copied."
