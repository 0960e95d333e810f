"""Train, and die by SIGKILL: `python -m tests.vision.training.owned.dying STEPS FOLDER`.

A program of its own: a fork of the tests' process, in which torch has threads, can hang.
"""

import os
import signal
import sys
from pathlib import Path

from tests.vision.training.owned.test_tags import CONFIG, a_library, a_table
from vision.training.owned.tags import retrain_tags


def main(steps: int, work: Path) -> None:
    taken = iter(range(steps))

    def die(*_: object) -> None:
        if next(taken, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    retrain_tags(a_library(), a_table(), [4], CONFIG, work=work, progress=die)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
