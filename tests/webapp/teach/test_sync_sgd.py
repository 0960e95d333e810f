"""`benchmark sync-sgd` on phrases that are drawn; how long anything takes is not looked at."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from webapp.errors import Refused
from webapp.teach.benchmarks import sync_sgd
from webapp.teach.benchmarks._straggling import Delays, Groups


def options(*arguments: str) -> dict[str, Any]:
    parser = ArgumentParser()
    sync_sgd.add_arguments(parser)
    return vars(parser.parse_args(arguments))


@pytest.fixture
def phrases(tmp_path: Path) -> Path:
    """Three groups that lie apart."""
    rng = np.random.default_rng(0)
    groups = np.arange(240) % 3
    around = rng.normal(size=(3, 16))[groups] + rng.normal(size=(240, 16)) / 4
    embeddings = around / np.linalg.norm(around, axis=1, keepdims=True)
    np.savez(tmp_path / "phrases.npz", embeddings=embeddings.astype(np.float32), groups=groups)
    return tmp_path / "phrases.npz"


@pytest.mark.processes
def test_three_ways_are_compared_on_the_same_data(phrases: Path, tmp_path: Path) -> None:
    drawing = tmp_path / "curves.svg"
    given = ("--gradients", "240", "--processes", "3", "--delay-ms", "5", "--repeat", "1")
    figures = sync_sgd.compare(phrases, options(*given, "--loss", "0.9", "--svg", str(drawing)))
    ways = {name: figures[name] for name in ("plain", "backup", "asynchronous")}
    assert all(way["reached"] == 1 for way in ways.values())
    assert all(way["final_loss"] < 0.9 for way in ways.values())
    assert ways["plain"]["dropped"] == ways["plain"]["staleness"] == 0
    assert ways["backup"]["staleness"] == ways["asynchronous"]["dropped"] == 0
    assert ways["asynchronous"]["staleness"] > 0
    assert figures["ratio"]["least"] == figures["ratio"]["most"] > 0
    told = sync_sgd.table(figures)
    assert "first 2 of 3" in told
    assert "one delayed by 5 ms in 10% of the steps" in told
    assert "svg" in drawing.read_text("utf-8")


def test_a_loss_that_nobody_reached_is_said_so() -> None:
    curve = [(step, step / 10, 1.0) for step in range(5)]
    assert sync_sgd._reached(curve, 0.5, 2) == {"to_loss_s": None, "gradients": None}
    assert sync_sgd._seconds(sync_sgd._spread([])) == "not reached"


def test_a_loss_is_reached_when_three_judgements_say_so() -> None:
    losses = [1.0, 0.1, 0.9, 0.5, 0.4, 0.3]
    curve = [(5 * place, place * 1.5, loss) for place, loss in enumerate(losses)]
    assert sync_sgd._reached(curve, 0.45, 4) == {"to_loss_s": 7.5, "gradients": 100}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (("--processes", "2", "--backup", "2"), "a worker that is no backup"),
        (("--processes", "0"), "a worker that is no backup"),
        (("--repeat", "0"), "--repeat at least 1"),
        (("--gradients", "10"), "--gradients must be at least 200"),
        (("--delay-ms", "-1"), "--delay-ms not negative"),
    ],
)
def test_what_cannot_be_measured_is_refused(given: tuple[str, ...], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        sync_sgd.run(options(*given))


def test_one_worker_is_delayed_in_a_share_of_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []
    monkeypatch.setattr("time.sleep", naps.append)
    delays = Delays(share=0.1, seconds=2.0, workers=5, seed=0)
    late: list[tuple[int, int]] = []
    for step in range(2000):
        for worker in range(1, 6):
            naps.clear()
            delays(worker, step)
            late += [(step, worker)] * len(naps)
    assert len(late) == len({step for step, _ in late}), "one at a time"
    assert 150 < len(late) < 250
    assert {worker for _, worker in late} == {1, 2, 3, 4, 5}


def test_a_piece_has_the_mean_loss_of_its_rows(phrases: Path) -> None:
    problem = Groups(phrases, batch=8, rate=0.1, momentum=0.9, seed=0)
    model = problem.build()
    losses = [problem.loss(model, piece).item() for piece in range(problem.pieces.an_epoch)]
    assert np.mean(losses) == pytest.approx(problem.loss_of_all(model), rel=1e-5)
    assert torch.equal(problem.build()[0].weight, model[0].weight), "every process begins alike"
