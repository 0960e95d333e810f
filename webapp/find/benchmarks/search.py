"""Searching a library of --vectors photos over HTTP, and the index beside exact flat search.

A server of its own runs on a loopback port over a library of its own, drawn to resemble real ones,
in a temporary folder. Baseline: FAISS flat search over the same vectors in fp32, one at a time.
"""

import json
import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from webapp.tables import table as text_table

# Nothing of the library that is really here reaches the one that is measured.
OURS = ("DATABASE_URL", "REDIS_URL", "MAREA_S3_BUCKET", "MAREA_ORIGINALS", "SECRET_KEY")


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--vectors", type=int, default=100_000, help="photos; default: 100000")
    parser.add_argument("--queries", type=int, default=200, help="of each kind; default: 200")


def run(options: Mapping[str, Any]) -> dict[str, Any]:
    with TemporaryDirectory(prefix="marea-benchmark-") as folder:
        return _measured_in(Path(folder), options["vectors"], options["queries"])


def table(figures: Mapping[str, Any]) -> str:
    index, flat = figures["index"], figures["baseline"]
    rows = [
        ("index, recall@10", "1.000", f"{figures['recall@10']:.3f}"),
        ("index, recall@10, text-like", "1.000", f"{figures['recall@10_text']:.3f}"),
        ("index, p50 ms", f"{flat['p50_ms']:.2f}", f"{index['p50_ms']:.2f}"),
        ("index, p99 ms", f"{flat['p99_ms']:.2f}", f"{index['p99_ms']:.2f}"),
        ("bytes a photo", "2048", f"{figures['bytes_per_photo']:.0f}"),
        ("HTTP request, p50 ms", "", f"{figures['p50_ms']:.1f}"),
        ("HTTP request, p99 ms", "", f"{figures['p99_ms']:.1f}"),
        ("web process, MB", "", f"{figures['web_process_mb']:.0f}"),
    ]
    return (
        f"{text_table(['', 'flat fp32', figures['kind']], rows)}\n\n"
        f"{figures['vectors']:,} photos; {figures['ratio_to_flat']:.1f} times faster than flat. "
        f"Torch in the web process: {'yes' if figures['torch_loaded'] else 'no'}."
    )


def _measured_in(folder: Path, vectors: int, queries: int) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    environment |= {"MAREA_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "webapp.settings"}
    command = [sys.executable, "-m", "webapp.find.benchmarks._inside", str(vectors), str(queries)]
    done = subprocess.run(
        command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise CommandError("The measurement did not come to its end; the reason is above.")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures
