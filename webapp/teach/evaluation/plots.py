"""Plots of what was measured, as SVG. Need matplotlib (tests/requirements.txt)."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

from search.cutoff import CONFIDENT
from webapp.errors import Refused
from webapp.teach.evaluation.figures import Measured, figure

SIZE = (5.2, 4.2)  # inches
BARS = 20  # cells of a bar on a terminal
# Lines of the plot of the cut-off: how they are called, and their colours.
OF_CUTOFF = {
    "precision": ("right", "C0"),
    "recall_kept": ("kept", "C2"),
    "false_alarms": ("answered although absent", "C3"),
}


def draw_all(versions: Mapping[str, Measured], folder: Path) -> Iterator[Path]:
    """Draw the plots that the tables refer to; yields their files."""
    curves = {
        f"{collection}, {kind}": points
        for measured in list(versions.values())[:1]
        for collection, measures in measured.items()
        for kind in ("tags", "captions")
        if (points := figure(measures, kind, "reliability"))
    }
    if curves:
        yield draw_reliability(curves, folder / "reliability.svg")
    cutoffs = {
        collection: points
        for measured in list(versions.values())[:1]
        for collection, measures in measured.items()
        if (points := figure(measures, "cutoff", "curve"))
    }
    if cutoffs:
        yield draw_cutoff(cutoffs, folder / "cutoff.svg")


def draw_reliability(curves: Mapping[str, Sequence[Mapping[str, float]]], to: Path) -> Path:
    """How often what is said with a probability is right; on the diagonal it may be believed.

    A point has `probability` (mean of what was said), `shown` (the share that was right) and the
    number of `words` said.
    """
    figure_, axes = _axes("said with this probability", "was right")
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle="--")
    for name, points in curves.items():
        known = [point for point in points if point["words"]]
        xs, ys = [p["probability"] for p in known], [p["shown"] for p in known]
        axes.plot(xs, ys, marker="o", markersize=4, label=name)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.legend(frameon=False, fontsize=8)
    return _save(figure_, to)


def plotted(points: Sequence[Mapping[str, float]]) -> Iterator[tuple[str, str]]:
    """The same for a terminal: a line for each tenth of probability, whose bar is as long as what
    was said with it was right and whose mark stands where it would be if it may be believed."""
    for point in points:
        cells = ["█" if BARS * point["shown"] > at else "·" for at in range(BARS)]
        cells[min(int(BARS * point["probability"]), BARS - 1)] = "|"
        told = f"said {point['probability']:.2f}, was right {point['shown']:.2f} of"
        yield (
            f"{point['from']:.1f} to {point['to']:.1f}",
            f"{''.join(cells)} {told} {point['words']:,}",
        )


def draw_cutoff(curves: Mapping[str, Sequence[Mapping[str, float]]], to: Path) -> Path:
    """What each threshold would do; the upright line is the one in use. See
    `search.evaluation.cutoff_figures` for what a point has."""
    figure_, axes = _axes("probability from which results are shown at once", "share")
    for (name, points), style in zip(curves.items(), cycle(("-", "--", ":")), strict=False):
        xs = [point["threshold"] for point in points]
        for key, (words, colour) in OF_CUTOFF.items():
            ys = [point[key] for point in points]
            axes.plot(xs, ys, style, color=colour, label=f"{words}, {name}")
    axes.axvline(CONFIDENT, color="0.6", linewidth=1)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.legend(frameon=False, fontsize=7)
    return _save(figure_, to)


def _axes(x: str, y: str) -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise Refused("Plots need matplotlib: pip install -r tests/requirements.txt.") from error
    figure_ = Figure(figsize=SIZE, layout="constrained")
    axes = figure_.subplots()
    axes.set(xlabel=x, ylabel=y)
    axes.grid(color="0.9")
    axes.spines[["top", "right"]].set_visible(False)
    return figure_, axes


def _save(figure_: Any, to: Path) -> Path:
    """The same figures give the same file, so that a diff shows what has changed."""
    from matplotlib import rc_context

    with rc_context({"svg.hashsalt": to.stem}):
        figure_.savefig(to, format="svg", metadata={"Date": None})
    return to
