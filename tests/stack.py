"""Marea as people run it: the supervisor and all its programs, on a port and folder of its own.

    with running_stack(tmp_path / "stack") as stack: ...

The first visit makes the administrator; `stack.manage("…")` runs commands beside it.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psutil

from workers.supervision.program import LAUNCH

ROOT = Path(__file__).resolve().parents[1]
START_S = 300.0  # generous: a busy machine migrates and collects static files first
OURS = ("MAREA_DATA", "MAREA_BIND", "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")


def manage(environment: Mapping[str, str], *arguments: str) -> str:
    """Run a management command; returns what it prints."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@dataclass
class Stack:
    """A Marea of its own. `base_url` has no slash at its end."""

    folder: Path
    environment: dict[str, str]

    @property
    def base_url(self) -> str:
        return f"http://{self.environment['MAREA_BIND']}"

    @cached_property
    def valkey_socket(self) -> Path:
        """Where its Valkey listens; elsewhere than its data lies if that has a long name."""
        asked = "from django.conf import settings; print(settings.MAREA_VALKEY_SOCKET)"
        return Path(self.manage("shell", "-v0", "-c", asked).strip())

    def start(self) -> None:
        """Start the supervisor without waiting. It ends with this process in any case."""
        launch = [sys.executable, str(LAUNCH), str(os.getpid())]
        with (self.folder / "run.log").open("wb") as log:
            self.process = subprocess.Popen(
                [*launch, sys.executable, "manage.py", "run"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                process_group=0,
            )

    def log(self) -> str:
        return (self.folder / "run.log").read_text(errors="replace")

    def manage(self, *arguments: str) -> str:
        """Run a management command on this stack's data; returns what it prints."""
        return manage(self.environment, *arguments)

    def programs(self) -> list[psutil.Process]:
        """Every process under the supervisor."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def program(self, word: str) -> psutil.Process:
        """The supervisor's child with `word` among its arguments."""
        return next(child for child in self.children() if word in command_line(child))

    def children(self) -> list[psutil.Process]:
        """Those that the supervisor started itself."""
        return psutil.Process(self.process.pid).children()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_S
        while "Ready: " not in self.log():
            assert self.process.poll() is None, f"Marea ended:\n{self.log()}"
            assert time.monotonic() < deadline, f"Marea is not ready:\n{self.log()}"
            time.sleep(0.1)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop and wait; returns the exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=START_S)


@contextmanager
def running_stack(folder: Path, **settings: str) -> Iterator[Stack]:
    """Start Marea in `folder` and wait; `settings` are environment variables."""
    stack = Stack(folder, environment_for(folder, **settings))
    stack.start()
    try:
        stack.wait_until_ready()
        yield stack
    finally:
        if stack.process.poll() is None:
            stack.stop()


def environment_for(folder: Path, **settings: str) -> dict[str, str]:
    """What the programs of a stack see: nothing of this process's own settings."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    bind = f"127.0.0.1:{free_port()}"
    return {**kept, "MAREA_DATA": str(folder / "data"), "MAREA_BIND": bind, **settings}


def command_line(process: psutil.Process) -> str:
    """Its arguments; empty for one that has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
