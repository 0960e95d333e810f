"""Reading text in photos: a worker's way beside RapidOCR as it comes, each in a process of its own.

Signs of known words hang on photos of 12 megapixels. RapidOCR reads the originals with its own
settings; a worker glances at the large thumbnail first, finds lines on it made smaller, and reads
them from it. Both have one thread; decoding is counted on both sides.
"""

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from webapp.errors import UserError
from webapp.library.benchmarks._photos import write_photo
from webapp.measuring import measure_apart
from webapp.teach.benchmarks._signs import HEIGHTS, Sign, write_signs
from webapp.terminal import table as text_table

CHILD = "webapp.teach.benchmarks._reading_child"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--each", type=int, default=3, help="signs of each height; default: 3")
    parser.add_argument("--bare", type=int, default=8, help="photos without one; default: 8")
    parser.add_argument(
        "--photos", type=Path, help="a folder of JPEGs to hang the signs on; default: drawn ones"
    )


def run(options: Mapping[str, Any]) -> dict[str, Any]:
    with TemporaryDirectory(prefix="marea-reading-") as name:
        folder = Path(name)
        for part in ("photos", "drawn"):
            (folder / part).mkdir()
        backgrounds = _backgrounds(options["photos"], folder / "drawn", options["bare"])
        signs = write_signs(folder / "photos", backgrounds, each=options["each"])
        plain, ours = (
            measure_apart(CHILD, side, folder / "photos", home=folder / side)
            for side in ("plain", "ours")
        )
    return {
        "baseline": 1 / plain["bare_cpu_s"],
        "ours": 1 / ours["bare_cpu_s"],
        "ratio": plain["bare_cpu_s"] / ours["bare_cpu_s"],
        "signs": len(signs),
        "bare": options["bare"],
        "sides": {"plain": _figures(plain, signs), "ours": _figures(ours, signs)},
    }


def table(figures: Mapping[str, Any]) -> str:
    rows = [
        [
            name,
            f"{side['bare_cpu_s']:.2f}",
            f"{side['sign_cpu_s']:.2f}",
            f"{side['peak_mb']:.0f}",
            side["invented"],
            *(f"{side['read'][str(height)]:.0%}" for height in HEIGHTS),
        ]
        for name, side in figures["sides"].items()
    ]
    heights = [f"{height} px" for height in HEIGHTS]
    header = ["", "s, no text", "s, text", "peak MB", "invented", *heights]
    return (
        f"{text_table(header, rows)}\n\n"
        "Processor seconds a photo, decoding included; words read of those on signs by the height "
        f"of their letters in the thumbnail; words found on {figures['bare']} photos without a "
        f"sign. {figures['ratio']:.1f} times as fast where there is no text."
    )


def _backgrounds(folder: Path | None, drawn: Path, number: int) -> list[Path]:
    if folder is None:
        return [write_photo(drawn / f"{seed}.jpg", seed=seed) for seed in range(number)]
    found = sorted(folder.glob("*.jpg"))[:number]
    if len(found) < number:
        raise UserError(f"{folder} has fewer than {number} JPEGs.")
    return found


def _figures(side: Mapping[str, Any], signs: Sequence[Sign]) -> dict[str, Any]:
    bare = [words for name, words in side["words"].items() if name.startswith("bare")]
    return {
        "bare_cpu_s": side["bare_cpu_s"],
        "sign_cpu_s": side["sign_cpu_s"],
        "peak_mb": side["peak_mb"],
        "invented": sum(map(len, bare)),
        "read": {str(height): _share(side["words"], signs, height) for height in HEIGHTS},
    }


def _share(words: Mapping[str, Sequence[str]], signs: Sequence[Sign], height: int) -> float:
    """Of the words on signs of this height, how many were read letter by letter."""
    wanted = [(sign.name, word) for sign in signs if sign.height == height for word in sign.words]
    return sum(word in words[name] for name, word in wanted) / len(wanted)
