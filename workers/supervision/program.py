"""A program that is kept running: started, read, restarted with back-off, stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

LAUNCH = Path(__file__).with_name("launch.py")
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
SETTLED_S = 60.0  # who lived this long was well: back-off begins anew
LONGEST_LINE_BYTES = 64 << 10


@dataclass
class Program:
    """One child process in a process group of its own, so that Ctrl-C is ours to answer.

    Start it from the main thread: Linux ends it when the thread that started it is gone.
    """

    name: str
    command: Sequence[str]
    hushed: str = ""  # lines with this in them are not shown
    start_at: float = 0.0  # monotonic; when it is down and wanted
    _process: subprocess.Popen[bytes] | None = None
    _started_at: float = 0.0
    _pause_s: float = FIRST_PAUSE_S
    silent: bool = False  # it has closed its output
    _unfinished_line: bytes = field(default=b"", repr=False)

    @property
    def started(self) -> bool:
        """Whether there is a process whose end has not been settled."""
        return self._process is not None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def output(self) -> int:
        """File descriptor of what it prints; non-blocking."""
        return self._opened.fileno()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-S", str(LAUNCH), str(os.getpid()), *self.command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            process_group=0,
        )
        self._started_at, self.silent = time.monotonic(), False
        os.set_blocking(self.output, False)

    def lines(self) -> Iterator[str]:
        """Complete lines with something in them that it has printed since the last call."""
        with suppress(BlockingIOError):
            while data := os.read(self.output, LONGEST_LINE_BYTES):
                *lines, rest = (self._unfinished_line + data).split(b"\n")
                self._unfinished_line = rest[-LONGEST_LINE_BYTES:]
                texts = (line.decode(errors="replace").rstrip() for line in lines)
                yield from filter(self._worth_showing, texts)
            self.silent = True

    def _worth_showing(self, line: str) -> bool:
        return bool(line) and not (self.hushed and self.hushed in line)

    def ended(self) -> int:
        """Settle its death and plan the next start. Returns the exit status."""
        process = self._take()
        self._signal_group(process, signal.SIGKILL)  # what it left behind
        now = time.monotonic()
        if now - self._started_at > SETTLED_S:
            self._pause_s = FIRST_PAUSE_S
        self.start_at = now + self._pause_s
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
        return process.returncode

    def ask_to_stop(self) -> None:
        if self._process:
            self._process.terminate()

    def kill(self) -> None:
        """End it and everything in its group at once."""
        if self._process:
            process = self._take()
            self._signal_group(process, signal.SIGKILL)
            process.wait()

    def _take(self) -> subprocess.Popen[bytes]:
        process = self._process
        if process is None:
            raise RuntimeError(f"{self.name} does not run")
        self._process = None
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
        return process

    @property
    def _opened(self) -> IO[bytes]:
        if self._process is None or self._process.stdout is None:
            raise RuntimeError(f"{self.name} does not run")
        return self._process.stdout

    @staticmethod
    def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
