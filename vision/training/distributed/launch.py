"""Processes of this machine that train together, without torchrun: for benchmarks and tests.

torchrun ends all processes when one dies. Here the others go on, which is what backup workers are
for, until the first has done.
"""

import multiprocessing
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from vision.errors import TrainingError

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Place:
    """Which process this is, and where it meets the others."""

    rank: int
    size: int
    folder: Path
    patience_s: float


def together(size: int, do: Callable[..., Result], *given: Any, patience_s: float) -> Result:
    """What `do(*given)` returns in the first of `size` processes, all of one gloo group.

    `do` is a function of a module; what it is given and returns goes through a pipe. Raises
    TrainingError of the first process, or when it died or takes longer than `patience_s`.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])  # loads torch once, not in every process
    ours, theirs = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory(prefix="marea-together-") as folder:
        processes = [
            context.Process(
                target=_run,
                args=(Place(rank, size, Path(folder), patience_s), pipe, do, given),
                daemon=True,
            )
            for rank, pipe in enumerate([theirs, *[None] * (size - 1)])
        ]
        for process in processes:
            process.start()
        theirs.close()
        try:
            return _result(ours, patience_s)
        finally:
            for process in processes:
                process.kill()
                process.join()


def _result(pipe: Connection, patience_s: float) -> Any:
    if not pipe.poll(patience_s):
        raise TrainingError(f"The training took longer than {patience_s:g} seconds and was ended.")
    try:
        result = pipe.recv()
    except EOFError:
        raise TrainingError("The process that coordinates the training died.") from None
    if isinstance(result, Exception):
        raise result
    return result


def _run(place: Place, pipe: Connection | None, do: Callable[..., Any], given: Any) -> None:
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo",
        init_method=(place.folder / "meeting").as_uri(),
        rank=place.rank,
        world_size=place.size,
        timeout=timedelta(seconds=place.patience_s),
    )
    try:
        result = do(*given)
    except TrainingError as error:
        result = error
    if pipe:
        pipe.send(result)
