"""A web server over the benchmark's library, and one client that asks it."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import psutil
from django.conf import settings
from django.test import Client

from webapp.accounts.models import User

START_S = 60.0
ASKING_AT_ONCE = 64


@dataclass(frozen=True)
class Server:
    process: psutil.Process
    port: int
    cookie: str

    def ask(self, queries: Sequence[str]) -> list[float]:
        """Search for each of `queries`, one after the other; seconds until each answer was read."""
        seconds = []
        for query in queries:
            started = time.perf_counter()
            self._get(f"/search/?{urlencode({'q': query})}")
            seconds.append(time.perf_counter() - started)
        return seconds

    def ask_at(self, rate: float, queries: Sequence[str]) -> list[float]:
        """Begin `rate` searches a second; seconds from when each was due until it was answered."""
        begin = time.perf_counter()

        def search(place: int) -> float:
            due = begin + place / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            self._get(f"/search/?{urlencode({'q': queries[place]})}")
            return time.perf_counter() - due

        with ThreadPoolExecutor(ASKING_AT_ONCE) as threads:
            return list(threads.map(search, range(len(queries))))

    def workers(self) -> list[psutil.Process]:
        return self.process.children(recursive=True)

    def _get(self, path: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path, headers={"Cookie": self.cookie})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status != http.client.OK:
            raise RuntimeError(f"{path} was answered with {answer.status}: {body[:300]!r}")


@contextmanager
def running_server(user: User) -> Iterator[Server]:
    """gunicorn with the product's configuration, to which `user` is signed in."""
    port = _free_port()
    environment = {**os.environ, "MAREA_BIND": f"127.0.0.1:{port}"}
    command = [sys.executable, "-m", "gunicorn", "-c", "python:webapp.serving", "webapp.wsgi"]
    process = subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR, stdout=sys.stderr)
    try:
        _wait(port, process)
        yield Server(psutil.Process(process.pid), port, _cookie(user))
    finally:
        process.terminate()
        process.wait()


def _cookie(user: User) -> str:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("The web server did not start.")
