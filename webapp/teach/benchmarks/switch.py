"""Switching between two model versions and back, over --photos photos, while a server is searched.

A second version that has looked at every photo is made ready, put to work and taken back, in a
library of its own in a temporary folder. All the while --people people search a web server through
the API; each answer's captions, tags and reasons must be of one version alone. After the switch
--since photos come that only the new version has looked at.
"""

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from webapp.find.benchmarks._programs import measured
from webapp.terminal import table as text_table

PROGRAM = "webapp.teach.benchmarks._switching"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--photos", type=int, default=100_000, help="default: 100000")
    parser.add_argument("--since", type=int, default=1_000, help="default: 1000")
    parser.add_argument("--people", type=int, default=2, help="who search meanwhile; default: 2")


def run(options: Mapping[str, Any]) -> dict[str, Any]:
    given = (options["photos"], options["since"], options["people"])
    with TemporaryDirectory(prefix="marea-benchmark-") as folder:
        return measured(PROGRAM, *given, home=Path(folder))


def table(figures: Mapping[str, Any]) -> str:
    rows = [
        ("tags and words of the second version written", f"{figures['telling_s']:.1f}"),
        ("its index made", f"{figures['indexing_s']:.1f}"),
        ("judged on photos held out", f"{figures['judging_s']:.1f}"),
        ("switch", f"{figures['switch_s']:.3f}"),
        ("first answer of the new version", f"{figures['first_after_switch_s']:.2f}"),
        ("back, until answers are the old version's again", f"{figures['back_s']:.2f}"),
        ("of which the command's transaction", f"{figures['rollback_s']:.3f}"),
    ]
    return (
        f"{text_table(['step', 'seconds'], rows)}\n\n"
        f"{figures['photos']:,} photos, {figures['since']:,} more before going back. "
        f"{figures['answers']:,} answers meanwhile: {figures['failed']} failed, "
        f"{figures['mixed']} of both versions; the slowest took {figures['slowest_s']:.2f} s."
    )
