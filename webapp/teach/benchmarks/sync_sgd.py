"""Training that does not wait for stragglers: time to the same loss with backup workers.

Worker processes of this machine, and one that coordinates them, teach a small network which of the
vocabulary's groups a phrase is of, by the shipped text encoder's embeddings of 4,784 phrases. In a
share of the steps one worker, chosen at random, is delayed. Plain synchronous training waits for
it; with b backup workers each step takes the gradients of the first N of N + b; asynchronous
training applies each gradient as it comes. All three are dealt the same pieces of data, 1,500.

A delay is a sleep, which stands for a machine, or its network, that is busy with something else.
The network is so small that a step without delays is much shorter than a delay: workers share the
processors of one machine here, and backup workers spend processor to save waiting. Where nobody is
delayed (--delay-ms 0) they gain nothing.
"""

import tempfile
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from vision.text_encoder import load_text_encoder
from vision.vocabulary import prompts, vocabulary
from vision.vocabulary.words import GROUPS
from webapp.errors import Refused
from webapp.teach.versions.folders import folder_to_measure
from webapp.terminal import table as text_table

PIECES = 1500  # gradients of each training: ten epochs
BATCH = 32
LEAST_GRADIENTS = 200
JUDGED_EVERY = 25  # gradients
SMOOTHED = 3  # judgements whose mean must be below the loss that is waited for
PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class Way:
    """A way to train, with the rate and momentum that got to a loss of 0.2 early without delays.

    Tried for synchronous ways: 0.02 to 0.2 with momentum 0.9, 0.1 to 1 without; for asynchronous
    training 0.02 to 0.4 without, 0.005 to 0.04 with momentum 0.9, by which it learns nothing at
    the others' rate: a gradient is 4 steps old there.
    """

    name: str
    title: str
    take: int  # gradients a step
    rate: float = 0.05
    momentum: float = 0.9
    takes_stale: bool = False


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--processes", type=int, default=5, help="workers; default: 5")
    parser.add_argument("--backup", type=int, default=1, help="of these; default: 1")
    parser.add_argument(
        "--delayed", type=float, default=0.1, help="share of steps with a delay; default: 0.1"
    )
    parser.add_argument("--delay-ms", type=float, default=200.0, help="how long; default: 200")
    parser.add_argument(
        "--loss", type=float, default=0.2, help="the loss that time is taken to; default: 0.2"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the first repetition; default: 0")
    parser.add_argument("--repeat", type=int, default=5, help="with further seeds; default: 5")
    parser.add_argument(
        "--gradients", type=int, default=PIECES, help=f"of each training; default: {PIECES}"
    )
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw loss against time")


def run(options: Mapping[str, Any]) -> dict[str, Any]:
    _check(options)
    with tempfile.TemporaryDirectory(prefix="marea-sync-sgd-") as folder:
        file = Path(folder) / "phrases.npz"
        _write_phrases(file)
        return compare(file, options)


def compare(file: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """Figures of every way on the phrases of a file: `embeddings` (n, D) and `groups` (n,)."""
    ways = _ways(options["processes"], options["backup"])
    seeds = range(options["seed"], options["seed"] + options["repeat"])
    runs = [{way.name: _measured(way, file, seed, options) for way in ways} for seed in seeds]
    if options["svg"]:
        _draw(runs[0], ways, options["svg"])
    return _figures(runs, options)


def table(figures: Mapping[str, Any]) -> str:
    rows = [
        (
            title,
            _seconds(figures[name]["seconds"]),
            figures[name]["gradients"] or "",
            f"{figures[name]['step_ms']:.1f}",
            f"{figures[name]['final_loss']:.3f}",
            figures[name]["dropped"],
            f"{figures[name]['staleness']:.1f}",
        )
        for name, title in _titles(figures["processes"], figures["backup_workers"]).items()
    ]
    header = ("", "seconds", "gradients", "ms a step", "final loss", "dropped", "staleness")
    return (
        f"To a loss of {figures['loss']:g}, {figures['processes']} workers, one delayed by "
        f"{figures['delay_ms']:g} ms in {figures['delayed']:.0%} of the steps; medians of "
        f"{figures['repetitions']} seeds, least and most:\n\n{text_table(header, rows)}\n\n"
        f"Backup workers are {_ratio(figures['ratio'])} as fast as plain synchronous training and "
        f"{_ratio(figures['ratio_to_asynchronous'])} as fast as asynchronous."
    )


def _check(options: Mapping[str, Any]) -> None:
    """Raises `Refused` for what cannot be measured."""
    if not 0 <= options["backup"] < options["processes"]:
        raise Refused("There must be a worker that is no backup. Nothing was measured.")
    if options["gradients"] < LEAST_GRADIENTS or options["repeat"] < 1 or options["delay_ms"] < 0:
        raise Refused(
            f"--gradients must be at least {LEAST_GRADIENTS}, --repeat at least 1, and --delay-ms "
            "not negative. Nothing was measured."
        )


def _ways(processes: int, backup: int) -> tuple[Way, ...]:
    titles = _titles(processes, backup)
    return (
        Way("plain", titles["plain"], take=processes),
        Way("backup", titles["backup"], take=processes - backup),
        Way("asynchronous", titles["asynchronous"], take=1, momentum=0.0, takes_stale=True),
    )


def _titles(processes: int, backup: int) -> dict[str, str]:
    return {
        "plain": f"plain synchronous, all {processes}",
        "backup": f"first {processes - backup} of {processes}",
        "asynchronous": "asynchronous",
    }


def _write_phrases(file: Path) -> None:
    """Every word of the vocabulary in every prompt: embedding and group."""
    phrases = [
        (phrase, GROUPS.index(word.group))
        for word in vocabulary().values()
        for phrase in prompts(word)
    ]
    embeddings = load_text_encoder(folder_to_measure()).encode([text for text, _ in phrases])
    np.savez(file, embeddings=embeddings, groups=np.array([group for _, group in phrases]))


def _measured(way: Way, file: Path, seed: int, options: Mapping[str, Any]) -> dict[str, Any]:
    from vision.training.distributed.backup import Plan
    from vision.training.distributed.launch import together
    from webapp.teach.benchmarks._straggling import Delays, Groups, measure

    workers = options["processes"]
    problem = Groups(file, BATCH, way.rate, way.momentum, seed)
    plan = Plan(options["gradients"] // way.take, way.take, takes_stale=way.takes_stale)
    delays = Delays(options["delayed"], options["delay_ms"] / 1000, workers, seed)
    every = max(1, JUDGED_EVERY // way.take)
    found = together(1 + workers, measure, problem, plan, delays, every, patience_s=PATIENCE_S)
    assert found is not None  # noqa: S101 the first process always answers
    return {
        **found,
        **_reached(found["curve"], options["loss"], way.take),
        "final_loss": found["curve"][-1][2],
        "step_ms": found["seconds"] / plan.steps * 1000,
    }


def _reached(curve: Sequence[Sequence[float]], loss: float, take: int) -> dict[str, float | None]:
    """Seconds and gradients until the loss was reached; None if it was not."""
    for place in range(SMOOTHED, len(curve) + 1):
        if np.mean([point[2] for point in curve[place - SMOOTHED : place]]) <= loss:
            step, seconds, _ = curve[place - 1]
            return {"to_loss_s": seconds, "gradients": int(step) * take}
    return {"to_loss_s": None, "gradients": None}


def _figures(runs: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> dict[str, Any]:
    sides = {name: _side([run[name] for run in runs]) for name in runs[0]}
    return {
        "baseline": sides["plain"]["seconds"]["median"],
        "ours": sides["backup"]["seconds"]["median"],
        "ratio": _spread(_ratios(runs, "plain")),
        "ratio_to_asynchronous": _spread(_ratios(runs, "asynchronous")),
        **sides,
        "processes": options["processes"],
        "backup_workers": options["backup"],
        "delayed": options["delayed"],
        "delay_ms": options["delay_ms"],
        "loss": options["loss"],
        "repetitions": len(runs),
    }


def _side(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One way to train, over all seeds. Seconds and gradients are of those that got to the loss."""
    reached = [run for run in runs if run["to_loss_s"] is not None]
    return {
        "seconds": _spread([run["to_loss_s"] for run in reached]),
        "gradients": median([run["gradients"] for run in reached]) if reached else None,
        "reached": len(reached),
        **{
            name: median([run[name] for run in runs])
            for name in ("step_ms", "final_loss", "dropped", "staleness")
        },
    }


def _ratios(runs: Sequence[Mapping[str, Any]], other: str) -> list[float]:
    """How many times as long another way took as backup workers, seed by seed."""
    pairs = [(run[other]["to_loss_s"], run["backup"]["to_loss_s"]) for run in runs]
    return [theirs / ours for theirs, ours in pairs if theirs and ours]


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    if not values:
        return {"median": None, "least": None, "most": None}
    return {"median": median(values), "least": min(values), "most": max(values)}


def _seconds(spread: Mapping[str, float | None]) -> str:
    if spread["median"] is None:
        return "not reached"
    return f"{spread['median']:.2f} ({spread['least']:.2f} to {spread['most']:.2f})"


def _ratio(spread: Mapping[str, float | None]) -> str:
    if spread["median"] is None:
        return "not comparably"
    return f"{spread['median']:.2f} times ({spread['least']:.2f} to {spread['most']:.2f})"


def _draw(run: Mapping[str, Any], ways: Iterable[Way], to: Path) -> None:
    """Loss against time, of one seed."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.5), layout="tight")
    for way in ways:
        curve = run[way.name]["curve"]
        axes.plot([point[1] for point in curve], [point[2] for point in curve], label=way.title)
    axes.set(xlabel="seconds", ylabel="loss", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(to, metadata={"Date": None})
    pyplot.close(figure)
