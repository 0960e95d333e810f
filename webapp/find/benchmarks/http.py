"""Whole search requests over --photos photos in the database, at --rate requests a second.

A server of its own runs on a loopback port over a library of its own, drawn to resemble real ones,
in a temporary folder. Each request asks for something that was never asked before, and begins when
its turn comes, whether or not those before it were answered: slow answers do not slow the asking.
"""

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from webapp.find.benchmarks._programs import measured
from webapp.terminal import table as text_table

PROGRAM = "webapp.find.benchmarks._http"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--photos", type=int, default=100_000, help="default: 100000")
    parser.add_argument("--rate", type=float, default=20.0, help="requests a second; default: 20")
    parser.add_argument("--requests", type=int, default=400, help="how many; default: 400")


def run(options: Mapping[str, Any]) -> dict[str, Any]:
    given = (options["photos"], options["rate"], options["requests"])
    with TemporaryDirectory(prefix="marea-benchmark-") as folder:
        return measured(PROGRAM, *given, home=Path(folder))


def table(figures: Mapping[str, Any]) -> str:
    rows = [
        ("one after the other", *_times(figures["alone"])),
        (f"{figures['rate']:g} a second", *_times(figures)),
    ]
    return (
        f"{text_table(['requests', 'p50 ms', 'p99 ms'], rows)}\n\n"
        f"{figures['photos']:,} photos; {figures['web_processes']} web processes with "
        f"{figures['web_process_mb']:.0f} MB each; the first search after a start took "
        f"{figures['first_ms']:.0f} ms. "
        f"Torch in the web process: {'yes' if figures['torch_loaded'] else 'no'}."
    )


def _times(figures: Mapping[str, Any]) -> tuple[str, str]:
    return f"{figures['p50_ms']:.1f}", f"{figures['p99_ms']:.1f}"
