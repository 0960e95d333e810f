"""`python -m vision.pulling.unpickling SOURCE TARGET`: a checkpoint's tensors as safetensors.

The two official checkpoints that exist as pickles only (Inception-v3's, BLIP's) are read here,
once, after their SHA-256 was verified, by torch's restricted unpickler, which makes tensors and
nothing else, in a process of its own with bounded memory, time and files and an empty environment.
What comes out is checked like any safetensors file. No other pickle is ever opened.
"""

import resource
import subprocess
import sys
from pathlib import Path

from vision.errors import PullError

TIME_S = 600
MEMORY_BYTES = 12 << 30  # address space: torch alone reserves several GB
FILE_BYTES = 4 << 30


def convert(source: Path, target: Path) -> None:
    """Convert in a child process. Raises PullError with the child's reason; nothing is left."""
    command = [sys.executable, "-I", "-c", _CHILD, str(_ROOT), str(source), str(target)]
    try:
        done = subprocess.run(
            command, env={}, capture_output=True, text=True, timeout=TIME_S, check=False
        )
        reason = "" if done.returncode == 0 else (done.stderr.strip().splitlines() or [""])[-1]
        failed = done.returncode != 0
    except subprocess.TimeoutExpired:
        failed, reason = True, f"it took longer than {TIME_S} s"
    if failed:
        target.unlink(missing_ok=True)
        raise PullError(
            f"{source.name} was refused: it is not a checkpoint of plain tensors ({reason[:300]})."
        )


def main(source: Path, target: Path) -> None:
    """What the child does."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (TIME_S, TIME_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    import torch
    from safetensors.torch import save_file

    state = torch.load(source, map_location="cpu", weights_only=True)
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise TypeError("it holds other things than named tensors")
    save_file({str(k): value.contiguous().clone() for k, value in state.items()}, target)


_ROOT = Path(__file__).resolve().parents[2]
# -I keeps the environment and the working folder out of the child's path.
_CHILD = (
    "import sys, pathlib; sys.path.insert(0, sys.argv[1]); "
    "from vision.pulling.unpickling import main; main(*map(pathlib.Path, sys.argv[2:]))"
)
