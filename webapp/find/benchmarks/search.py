"""The vector index over --vectors photos beside exact flat search, usearch and hnswlib.

The vectors are drawn to resemble real ones; every process of the measurement works in a folder of
its own. Baseline and truth: every vector compared in fp32 (FAISS flat search, one query at a time).
Times are by the clock, on a machine that should have nothing else to do; "work" is what the
searching thread itself needed.
"""

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from webapp.find.benchmarks import _growth
from webapp.find.benchmarks._programs import measured
from webapp.terminal import table as text_table

PROGRAM = "webapp.find.benchmarks._index"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--vectors", type=int, default=100_000, help="photos; default: 100000")
    parser.add_argument("--queries", type=int, default=200, help="of each kind; default: 200")
    parser.add_argument(
        "--no-rivals",
        action="store_true",
        help="leave out usearch and hnswlib, whose graphs take long to build",
    )
    parser.add_argument(
        "--growth",
        type=Path,
        metavar="SVG",
        help="measure smaller libraries as well, from 10000 photos, and plot how it grows",
    )
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="DIR",
        help="keep the index in this folder; the next run with it measures without building",
    )


def run(options: Mapping[str, Any]) -> dict[str, Any]:
    rivals, kept = "alone" if options["no_rivals"] else "rivals", options["keep"]
    figures = _measured(options["vectors"], options["queries"], rivals, kept)
    if options["growth"]:
        smaller = [
            _measured(size, options["queries"], "alone", kept)
            for size in _growth.sizes(options["vectors"])
        ]
        figures["growth"] = [_growth.summary(each) for each in [*smaller, figures]]
        _growth.plot(figures["growth"], options["growth"])
    return figures


def _measured(vectors: int, queries: int, rivals: str, kept: Path | None) -> dict[str, Any]:
    if kept is not None:
        home = kept.resolve() / str(vectors)
        home.mkdir(parents=True, exist_ok=True)
        return measured(PROGRAM, vectors, queries, rivals, home=home)
    with TemporaryDirectory(prefix="marea-benchmark-") as folder:
        return measured(PROGRAM, vectors, queries, rivals, home=Path(folder))


def table(figures: Mapping[str, Any]) -> str:
    return "\n\n".join(
        [_engines(figures), _conditions(figures), _sentences(figures), *_growing(figures)]
    )


def _engines(figures: Mapping[str, Any]) -> str:
    flat = {**figures["baseline"], "recall@10": 1.0, "bytes_per_photo": 2048}
    engines = {"flat fp32": flat, f"Marea ({figures['kind']})": figures}
    rows = [_engine(name, each) for name, each in [*engines.items(), *_rivals(figures)]]
    header = ["", "recall@10", "text-like", "p50 ms", "p99 ms", "work p50 ms", "bytes a photo"]
    return text_table(header, rows)


def _rivals(figures: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return list(figures.get("rivals", {}).items())


def _engine(name: str, figures: Mapping[str, Any]) -> tuple[str, ...]:
    text = figures.get("recall@10_text")
    return (
        name,
        f"{figures['recall@10']:.3f}",
        "" if text is None else f"{text:.3f}",
        f"{figures['p50_ms']:.2f}",
        f"{figures['p99_ms']:.2f}",
        f"{figures['work_p50_ms']:.2f}",
        f"{figures['bytes_per_photo']:.0f}",
    )


def _conditions(figures: Mapping[str, Any]) -> str:
    rows = [
        (
            f"{100 * each['share']:g} %",
            f"{each['recall@10']:.3f}",
            f"{each['recall@10_text']:.3f}",
            f"{each['p50_ms']:.2f}",
            f"{each['p99_ms']:.2f}",
            f"{each['work_p50_ms']:.2f}",
        )
        for each in figures["conditions"]
    ]
    header = ["condition selects", "recall@10", "text-like", "p50 ms", "p99 ms", "work p50 ms"]
    return text_table(header, rows)


def _sentences(figures: Mapping[str, Any]) -> str:
    changes = figures["changes"]
    return (
        f"{figures['vectors']:,} photos; {figures['ratio_to_flat']:.0f} times as fast as flat, by "
        f"work {figures['work_ratio_to_flat']:.0f} times; opened in "
        f"{figures['opening_ms']:.0f} ms, built in {figures['build_s']:.0f} s.\n"
        f"In memory {figures['bytes_per_photo']:.0f} bytes a photo, or "
        f"{figures['shared_bytes_per_photo']:.0f} with two processes that share pages.\n"
        f"Photos added {100 * changes['found_at_once']:.0f} % found and removed "
        f"{100 * changes['gone_at_once']:.0f} % gone with the next search; adding takes "
        f"{changes['add']['p50_ms']:.2f} ms, removing {changes['remove']['p50_ms']:.2f} ms, a "
        f"search meanwhile {changes['search_meanwhile']['p50_ms']:.2f} ms."
    )


def _growing(figures: Mapping[str, Any]) -> list[str]:
    return [_growth.table(figures["growth"])] if "growth" in figures else []
