"""Processes of this machine that train together, without torchrun: for benchmarks and tests.

torchrun ends all processes when one dies. Here the others go on, which is what backup workers are
for, until the first has done.
"""

import multiprocessing
import tempfile
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from vision.errors import TrainingError

Result = TypeVar("Result")


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
            context.Process(target=_run, args=(rank, size, folder, theirs, do, given), daemon=True)
            for rank in range(size)
        ]
        for process in processes:
            process.start()
        theirs.close()
        try:
            return _result(ours, processes[0], patience_s)
        finally:
            for process in processes:
                process.kill()
                process.join()


def _result(pipe: Connection, first: Any, patience_s: float) -> Any:
    ready = wait([pipe, first.sentinel], patience_s)
    if not ready:
        raise TrainingError(f"The training took longer than {patience_s:g} seconds and was ended.")
    if not pipe.poll():
        raise TrainingError("The process that coordinates the training died.")
    result = pipe.recv()
    if isinstance(result, Exception):
        raise result
    return result


def _run(
    rank: int, size: int, folder: str, pipe: Connection, do: Callable[..., Any], given: Any
) -> None:
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo",
        init_method=(Path(folder) / "meeting").as_uri(),
        rank=rank,
        world_size=size,
        timeout=timedelta(seconds=60),
    )
    if rank > 0:
        do(*given)
        return
    try:
        result = do(*given)
    except TrainingError as error:
        result = error
    pipe.send(result)
