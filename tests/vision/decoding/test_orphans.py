"""A decoding process does not outlive the process that it works for."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.hostile.bombs import repeated_scans
from tests.hostile.sample import jpeg

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

ROOT = Path(__file__).parents[3]
# Starts a decoder, gives it a file, and is killed while it waits for the answer or after it.
PARENT = """
import os, signal, sys, threading, time
from vision.decoding import DecoderPool, Limits

pool = DecoderPool(1, Limits(seconds=1))
pool.inspect(sys.argv[1])
(pid,) = pool.pids()
threading.Thread(target=pool.inspect, args=(sys.argv[2],), daemon=True).start()
time.sleep(0.3)
print(pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def is_gone(pid: int) -> bool:
    """Gone, or dead and not yet waited for by whoever inherited it."""
    try:
        stat = (Path("/proc") / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"


@pytest.mark.parametrize("kind", ["idle", "busy"])
def test_decoder_ends_after_its_parent_was_killed(kind: str, tmp_path: Path) -> None:
    """An idle one sees its requests end; a busy one meets its limit of processor time."""
    good, slow = tmp_path / "good.jpg", tmp_path / "slow.jpg"
    good.write_bytes(jpeg())
    slow.write_bytes(repeated_scans(Image.new("RGB", (4000, 4000)), 4000))
    second = good if kind == "idle" else slow
    parent = subprocess.run(
        [sys.executable, "-c", PARENT, str(good), str(second)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    pid = int(parent.stdout)
    deadline = time.monotonic() + 60
    while not is_gone(pid):
        assert time.monotonic() < deadline, "the decoder still runs"
        time.sleep(0.05)
