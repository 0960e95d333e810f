"""Draw a distillation's log: `python -m vision.training.distillation.plot LOG.jsonl CURVE.svg`."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

SMOOTHED = 20  # steps a point of the loss's curve stands for
FIGURES = {
    "top5": "teacher's first class in the student's five",
    "cosine": "cosine of pooled features",
    "explained_grid": "variance of the grid explained",
}
LOSSES = ("pooled", "stride16", "grid", "logits")

Row = Mapping[str, float]


def read_log(path: Path) -> list[Row]:
    """One row a step, in order; of a step done twice after an interruption, the later row."""
    rows: dict[tuple[int, bool], Row] = {}
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        rows[row["step"], "finished" in row] = row
    return [rows[key] for key in sorted(rows)]


def smoothed(rows: Sequence[Row], part: str) -> tuple[list[float], list[float]]:
    """Steps and mean losses, one of each SMOOTHED steps."""
    learned = [row for row in rows if part in row]
    groups = [learned[n : n + SMOOTHED] for n in range(0, len(learned), SMOOTHED)]
    steps = [group[-1]["step"] for group in groups]
    return steps, [sum(row[part] for row in group) / len(group) for group in groups]


def draw(rows: Sequence[Row], to: Path) -> None:
    """Agreement with the teacher on held-out photos, and the parts of the loss, as SVG."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, (above, below) = pyplot.subplots(2, 1, figsize=(7, 6), sharex=True, layout="tight")
    judged = [row for row in rows if "top5" in row]
    for key, label in FIGURES.items():
        above.plot([row["step"] for row in judged], [row[key] for row in judged], label=label)
    for part in LOSSES:
        below.plot(*smoothed(rows, part), label=part)
    above.set(ylabel="held-out photos", ylim=(0, 1))
    below.set(ylabel="loss (weighed)", xlabel="step", yscale="log")
    for axes in (above, below):
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(to, metadata={"Date": None})  # the same log draws the same file
    pyplot.close(figure)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m vision.training.distillation.plot")
    parser.add_argument("log", type=Path, help="distill.jsonl of a work folder")
    parser.add_argument("to", type=Path, help="the SVG file to write")
    options = parser.parse_args(arguments)
    draw(read_log(options.log), options.to)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
