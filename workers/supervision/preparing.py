"""What has to be in place before anything is started."""

import fcntl
import hashlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor


class CannotStart(Exception):
    """Why Marea cannot start here, and what to do about it, in a sentence."""


@contextmanager
def alone() -> Iterator[None]:
    """Hold the data folder; the system lets go of it however this process ends."""
    path = Path(settings.MAREA_DATA) / "run.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise CannotStart(
                f"Marea already runs on {settings.MAREA_DATA} (process {file.read().strip()}). "
                "Stop it first, or set MAREA_DATA to another folder."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def check_port_is_free(bind: str) -> None:
    host, _, port = bind.rpartition(":")
    if bind.startswith("unix:") or not port.isdigit():
        return  # the web server knows more ways to listen
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host.strip("[]"), int(port)))
        except OSError as error:
            raise CannotStart(
                f"Marea cannot listen on {bind}: {error.strerror}. Stop the other program, or set "
                "MAREA_BIND to another address, such as 127.0.0.1:8001."
            ) from error


def migrations_wait() -> bool:
    executor = MigrationExecutor(connections["default"])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def migrate() -> None:
    call_command("migrate", interactive=False, verbosity=0)
    connections.close_all()


def static_files_are_stale() -> bool:
    kept = _fingerprint_file()
    return not kept.exists() or kept.read_text() != _fingerprint()


def collect_static_files() -> None:
    call_command("collectstatic", interactive=False, verbosity=0)
    _fingerprint_file().write_text(_fingerprint())


def _fingerprint_file() -> Path:
    return Path(settings.STATIC_ROOT) / ".collected-from"


def _fingerprint() -> str:
    """Changes whenever a static file does: names, sizes and times of all of them."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list(ignore_patterns=None):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
