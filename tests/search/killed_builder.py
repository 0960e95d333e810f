"""python -m tests.search.killed_builder FOLDER: build in a copy of FOLDER/before again and again,
each time killed one step later, in FOLDER/step-001 and so on, until a build comes to its end."""

import os
import shutil
import signal
import sys
from itertools import count
from pathlib import Path

from search.index import build_base
from tests.search.index_machine import DIM, unit_vectors

STEPS = {"open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir"}


class Killer:
    """Ends this process, as a power cut would, before a step in `folder`."""

    def __init__(self, folder: Path, after: int) -> None:
        self.folder, self.left = str(folder), after

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in STEPS and str(arguments[0]).startswith(self.folder):
            self.step()

    def step(self) -> None:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


def build(folder: Path, after: int) -> None:
    killer, fsync = Killer(folder, after), os.fsync

    def fsync_or_die(handle: int) -> None:
        killer.step()
        fsync(handle)

    os.fsync = fsync_or_die
    sys.addaudithook(killer)
    batches = [(range(100), unit_vectors(100, seed=2))]
    build_base(folder, version="v", high_water_mark=2, batches=batches, dim=DIM, kind="ivf")


def main(place: Path) -> None:
    for after in count():
        folder = place / f"step-{after:03}"
        shutil.copytree(place / "before", folder)
        if (child := os.fork()) == 0:  # FAISS has started no threads yet
            build(folder, after)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]))
