"""Taking in large JPEGs: the product's batches beside the naive way, each in a process of its own.

Both sides start from the same stored 12-megapixel originals and end with the same: thumbnails,
placeholder, embedding, tags and caption of each photo in a database. The naive way decodes every
pixel, makes thumbnails with Pillow's usual settings, and runs the network in eager fp32 once for
each head, one photo after the other. Loading the networks is not counted on either side.
"""

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tqdm import tqdm

from webapp.library.benchmarks._photos import SIZE, write_photo
from webapp.measuring import measure_apart
from webapp.teach.versions.folders import folder_to_measure
from webapp.terminal import table as text_table

HEADER = ["", "photos/s", "processor s/photo", "resident MB", "decoders MB"]
CHILD = "webapp.library.benchmarks._ingest_child"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--photos", type=int, default=48, help="how many; default: 48")


def run(options: Mapping[str, Any]) -> dict[str, Any]:
    version = folder_to_measure()
    with TemporaryDirectory(prefix="marea-ingest-") as name:
        folder = Path(name)
        mean_mb = _write_photos(folder / "photos", options["photos"])
        naive, ours, web = (
            measure_apart(CHILD, side, folder / "photos", version, home=folder / side)
            for side in ("naive", "ours", "web")
        )
    return {
        "baseline": naive["photos_per_s"],
        "ours": ours["photos_per_s"],
        "ratio": ours["photos_per_s"] / naive["photos_per_s"],
        "baseline_cpu_s": naive["cpu_s_a_photo"],
        "ours_cpu_s": ours["cpu_s_a_photo"],
        "photos": options["photos"],
        "megapixels": SIZE[0] * SIZE[1] / 1e6,
        "mean_file_mb": mean_mb,
        "worker_mb": ours["resident_mb"],
        "decoders_mb": ours["decoders_mb"],
        "naive_mb": naive["resident_mb"],
        "web_mb": web["resident_mb"],
        "torch_in_web": web["torch"],
    }


def table(figures: Mapping[str, Any]) -> str:
    decoders = " + ".join(f"{mb:.0f}" for mb in figures["decoders_mb"])
    rows = [
        _row("naive", figures["baseline"], figures["baseline_cpu_s"], figures["naive_mb"]),
        _row("Marea", figures["ours"], figures["ours_cpu_s"], figures["worker_mb"], decoders),
    ]
    torch = "with" if figures["torch_in_web"] else "without"
    return (
        f"{text_table(HEADER, rows)}\n\n"
        f"{figures['ratio']:.1f} times as fast, over {figures['photos']} JPEGs of "
        f"{figures['megapixels']:.0f} megapixels and {figures['mean_file_mb']:.1f} MB each.\n"
        f"A web process that has answered a search: {figures['web_mb']:.0f} MB, {torch} torch."
    )


def _row(side: str, rate: float, cpu_s: float, mb: float, decoders: str = "") -> list[str]:
    return [side, f"{rate:.2f}", f"{cpu_s:.2f}", f"{mb:.0f}", decoders]


def _write_photos(folder: Path, number: int) -> float:
    """Returns the mean size of the files in MB."""
    folder.mkdir()
    seeds = tqdm(range(number), desc="drawing photos", unit="photo", disable=None)
    paths = [write_photo(folder / f"{seed}.jpg", seed=seed) for seed in seeds]
    return sum(path.stat().st_size for path in paths) / len(paths) / 1e6
