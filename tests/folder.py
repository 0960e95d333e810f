"""Where the files of a test run are."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path


def own_folder() -> str:
    """MAREA_DATA of this process; without one, a new folder that goes when the tests have ended.

    Each worker of pytest-xdist has a folder within, so that none shares an index, a Valkey or
    photos with another. What a worker starts is told the folder and keeps it.
    """
    run = os.environ.get("MAREA_DATA") or _folder_of_the_run()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    return run if Path(run).name == worker else str(Path(run) / worker)


def _folder_of_the_run() -> str:
    made = tempfile.mkdtemp(prefix="marea-test-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made
