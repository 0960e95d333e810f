"""Two processes that torchrun started train as one does."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.vision.training.distributed import curves
from tests.vision.training.distributed.curves import CAPTIONS, STOP, Curves
from vision.errors import TrainingError
from vision.training.distributed.world import World

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Curves:
    """What one process is told."""
    work = tmp_path_factory.mktemp("alone")
    return {
        "tower": curves.tower(work),
        "head": curves.head(work),
        "captions": curves.captions(work),
        "bilingual": curves.bilingual(work),
        "gradient": curves.contrast_gradient(),
    }


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where two processes worked."""
    work = tmp_path_factory.mktemp("two")
    assert len(curves.tower(work / "begun alone", stop_after=STOP)) == STOP
    torchrun = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    program = ["-m", "tests.vision.training.distributed.curves", str(work)]
    done = subprocess.run(
        [sys.executable, "-m", *torchrun, *program], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return work


@pytest.fixture(scope="module")
def together(work: Path) -> Curves:
    """What the first of two processes was told."""
    told: Curves = json.loads((work / "curves.json").read_text())
    return told


def test_the_gradient_of_a_contrast_is_that_of_one_process(alone: Curves, together: Curves) -> None:
    assert together["gradient"] == pytest.approx(alone["gradient"], rel=1e-4, abs=1e-6)
    assert max(map(abs, alone["gradient"])) > 0.1


@pytest.mark.parametrize(
    ("name", "tolerance"),
    # All but captions multiply in bfloat16.
    [("tower", 0.02), ("head", 0.02), ("bilingual", 0.02), ("captions", 1e-5)],
)
def test_two_processes_have_the_loss_curve_of_one(
    alone: Curves, together: Curves, name: str, tolerance: float
) -> None:
    steps = CAPTIONS.learning_steps if name == "captions" else len(alone[name])
    assert together[name][:steps] == pytest.approx(alone[name][:steps], rel=tolerance)
    assert np.isfinite(together[name]).all()
    learnt = abs(alone[name][steps - 1] - alone[name][0]) / alone[name][0]
    assert learnt > 2 * tolerance


def test_a_training_goes_on_with_another_number_of_processes(
    work: Path, alone: Curves, together: Curves
) -> None:
    assert together["resumed"] == pytest.approx(alone["tower"][STOP:], rel=0.02)
    left = curves.tower(work / "begun by two")
    assert together["begun"] + left == pytest.approx(alone["tower"], rel=0.02)


def test_rows_are_shared_out_once_each() -> None:
    for count in (0, 1, 7, 30):
        shares = [range(count)[World(rank=rank, size=4).part(count)] for rank in range(4)]
        assert [row for share in shares for row in share] == list(range(count))
        assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_batch_that_leaves_a_process_without_rows_is_refused_where_it_matters() -> None:
    assert World(rank=3, size=4).part(4, least=1) == slice(3, 4)
    assert World(rank=0, size=4).part(3) == slice(0, 0)
    with pytest.raises(TrainingError, match="A batch of 3 cannot be shared among 4 processes"):
        World(rank=0, size=4).part(3, least=1)


def test_one_process_is_a_world_that_changes_nothing() -> None:
    rows = torch.ones(3, 2, requires_grad=True)
    world = World()
    assert world.part(3) == slice(0, 3)
    assert world.gathered(rows, 3) is rows
    assert world.summed(rows) is rows
    assert world.is_first
