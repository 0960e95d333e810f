"""How time and memory grow with the library, as a table and a plot."""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from webapp.errors import Refused
from webapp.terminal import table as text_table

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000)
KEPT = (
    "vectors", "kind", "recall@10", "recall@10_text", "p50_ms", "p99_ms", "work_p50_ms",
    "bytes_per_photo", "build_s", "opening_ms", "ratio_to_flat",
)  # fmt: skip


def sizes(largest: int) -> list[int]:
    """Those that are smaller."""
    return list(takewhile(lambda size: size < largest, SIZES))


def summary(figures: Mapping[str, Any]) -> dict[str, Any]:
    """What is compared between sizes."""
    flat = {f"flat_{name}": figures["baseline"][name] for name in ("p50_ms", "work_p50_ms")}
    return {name: figures[name] for name in KEPT} | flat


def table(growth: Sequence[Mapping[str, Any]]) -> str:
    header = ["photos", "kind", "recall@10", "text-like", "p50 ms", "work p50", "flat work p50",
              "MB in memory", "built in s", "opened in ms"]  # fmt: skip
    return text_table(header, [_row(each) for each in growth])


def _row(figures: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        f"{figures['vectors']:,}",
        figures["kind"],
        f"{figures['recall@10']:.3f}",
        f"{figures['recall@10_text']:.3f}",
        f"{figures['p50_ms']:.2f}",
        f"{figures['work_p50_ms']:.2f}",
        f"{figures['flat_work_p50_ms']:.1f}",
        f"{_megabytes(figures):.0f}",
        f"{figures['build_s']:.0f}",
        f"{figures['opening_ms']:.0f}",
    )


def plot(growth: Sequence[Mapping[str, Any]], to: Path) -> None:
    """Work of one search and memory against the number of photos, all axes logarithmic."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise Refused("Plots need matplotlib: pip install -r tests/requirements.txt.") from error
    figure = Figure(figsize=(8.4, 3.6), layout="constrained")
    times, memory = figure.subplots(1, 2)
    photos = [each["vectors"] for each in growth]
    flat_ms = [each["flat_work_p50_ms"] for each in growth]
    times.plot(photos, flat_ms, "s--", color="0.5", label="flat")
    times.plot(photos, [each["work_p50_ms"] for each in growth], "o-", label="Marea")
    times.set(xlabel="photos", ylabel="ms of work for one search", xscale="log", yscale="log")
    times.legend(frameon=False)
    flat_mb = [2048 * count / 1e6 for count in photos]
    memory.plot(photos, flat_mb, "s--", color="0.5", label="flat")
    memory.plot(photos, [_megabytes(each) for each in growth], "o-", label="Marea")
    memory.set(xlabel="photos", ylabel="MB in memory", xscale="log", yscale="log")
    for axes in (times, memory):
        axes.grid(color="0.9")
        axes.spines[["top", "right"]].set_visible(False)
    with rc_context({"svg.hashsalt": to.stem}):
        figure.savefig(to, format="svg", metadata={"Date": None})


def _megabytes(figures: Mapping[str, Any]) -> float:
    megabytes: float = figures["bytes_per_photo"] * figures["vectors"] / 1e6
    return megabytes
