"""One decoding process, seen from the parent."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Final, cast

from vision.decoding import wire
from vision.decoding.errors import DecoderUnavailable
from vision.decoding.results import Limits

_ROOT: Final = Path(__file__).parents[2]
# Nothing else is inherited: no secret key, no database password.
_PASSED_ON: Final = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TZ", "TMPDIR")
_START_SECONDS: Final = 60.0


class DecoderProcess:
    """Speaks with one child; used by one thread at a time."""

    def __init__(self, limits: Limits) -> None:
        """Start it. Raises `DecoderUnavailable`."""
        self.answered = 0
        self._limits = limits
        self._process = _start(_command(limits))
        self._requests = cast(IO[bytes], self._process.stdin)
        self._answers = cast(IO[bytes], self._process.stdout)
        try:
            self._receive(_START_SECONDS)
        except (EOFError, TimeoutError, wire.ProtocolError) as error:
            self.end()
            raise DecoderUnavailable(
                "The process that decodes photos did not start; its error is in the log above."
            ) from error

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        """Send a request and wait for its answer.

        Raises TimeoutError, EOFError or OSError (the child is gone) and `wire.ProtocolError`;
        the process is of no use then.
        """
        self._requests.write(b"".join(wire.pack(request)))
        answer = self._receive(self._limits.seconds)
        self.answered += 1
        return answer

    def kill(self) -> None:
        """End it at once; whoever waits for its answer sees EOFError."""
        self._process.kill()

    def end(self) -> None:
        """End it and give back what it held; only for the thread that has it."""
        self._process.kill()
        self._process.wait()
        self._close_pipes()

    def abandon(self) -> None:
        """In a forked copy of the parent: let go of a child that belongs to the original."""
        self._process.returncode = 0  # not ours to wait for
        self._close_pipes()

    def _close_pipes(self) -> None:
        self._requests.close()
        self._answers.close()

    def _receive(self, seconds: float) -> tuple[dict[str, Any], list[bytes]]:
        descriptor = self._answers.fileno()
        deadline = time.monotonic() + seconds
        return wire.unpack(lambda size: _read(descriptor, size, deadline))


def _read(descriptor: int, size: int, deadline: float) -> bytes:
    """Read exactly `size` bytes. Raises EOFError, and TimeoutError after `deadline`."""
    readable = select.poll()
    readable.register(descriptor, select.POLLIN)
    parts: list[bytes] = []
    while size:
        if not readable.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise TimeoutError
        parts.append(os.read(descriptor, min(size, 1024**2)))
        if not parts[-1]:
            raise EOFError
        size -= len(parts[-1])
    return b"".join(parts)


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            cwd=_ROOT,
            env=_environment(),
            process_group=0,  # Ctrl-C is the parent's to answer
        )
    except OSError as error:
        raise DecoderUnavailable(
            f"No process to decode photos could be started: {error}"
        ) from error


def _command(limits: Limits) -> Sequence[str]:
    numbers = (limits.max_pixels, limits.memory_mb, max(1, round(limits.seconds)))
    return [sys.executable, "-m", "vision.decoding.child", *map(str, numbers)]


def _environment() -> dict[str, str]:
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    # Arenas and thread pools reserve address space that the memory limit would count.
    return {
        **passed_on,
        "MALLOC_ARENA_MAX": "2",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
