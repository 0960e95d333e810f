"""A training for tests of runs: it counts, and publishes a version with nothing in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.vision.folders import write_version
from webapp.teach.runs.kinds import KINDS, Kind, Setting
from webapp.teach.runs.models import TrainingRun
from webapp.teach.runs.telling import Teller
from webapp.teach.versions.folders import PARTS, models_folder

STEPS = Setting("steps", "Steps", 3, 1, 1000)
COUNTING = Kind("counting", "Counting", "Counts.", f"{__name__}:train", (STEPS,))

_between: list[Callable[[int], Any]] = []


@contextmanager
def counting(between: Callable[[int], Any] = bool) -> Iterator[None]:
    """While this lasts it can be trained; `between` is called with the number of each step."""
    KINDS["counting"] = COUNTING
    _between.append(between)
    try:
        yield
    finally:
        _between.pop()
        if not _between:
            del KINDS["counting"]


def train(run: TrainingRun, tell: Teller) -> str:
    steps = run.parameters["steps"]
    progress = tell.training("Counting")
    for step in range(steps):
        _between[-1](step)
        progress(step + 1, steps, {"loss": 1 / (step + 1), "validation loss": 2 / (step + 1)})
    folder = models_folder() / run.version_name
    if not folder.exists():
        write_version(folder, {}, {part: {"name": "none"} for part in PARTS})
    return run.version_name
