"""The real web server alone, with a data folder of its own, and somebody signed in."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

from tests.stack import ROOT, environment_for, manage
from workers.supervision.program import LAUNCH

CSRF = "c" * 32
START_S = 60.0
SIGN_IN = """
from django.contrib.auth import login
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from webapp.accounts.models import User
request = HttpRequest()
request.session = SessionStore()
user = User.objects.create_user("anna")
login(request, user, backend="django.contrib.auth.backends.ModelBackend")
request.session.save()
print(request.session.session_key)
"""


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class WebServer:
    """gunicorn with Marea's own configuration. Requests come from the one user, by tus."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.environment = environment_for(data.parent, **settings) | {"MAREA_DATA": str(data)}
        self.data = data
        manage(self.environment, "migrate", "-v0")
        self.session = (
            manage(self.environment, "shell", "-v0", "-c", SIGN_IN).strip().splitlines()[-1]
        )
        self.start()

    def start(self) -> None:
        launch = [sys.executable, str(LAUNCH), str(os.getpid())]
        gunicorn = [sys.executable, "-m", "gunicorn", "-c", "python:webapp.serving", "webapp.wsgi"]
        self.process = subprocess.Popen(
            [*launch, *gunicorn], cwd=ROOT, env=self.environment, process_group=0
        )
        deadline = time.monotonic() + START_S
        while not self._listens():
            assert self.process.poll() is None, "The web server ended."
            assert time.monotonic() < deadline, "The web server does not listen."
            time.sleep(0.05)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End the server and its worker processes, and wait until none of them listens."""
        os.killpg(self.process.pid, number)
        self.process.wait(timeout=30)
        while self._listens():
            time.sleep(0.05)

    def connect(self) -> socket.socket:
        host, port = self.environment["MAREA_BIND"].split(":")
        return socket.create_connection((host, int(port)), timeout=30)

    def ask(self, method: str, url: str, body: bytes = b"", **headers: str) -> Answer:
        """Header names are written with underscores: `Upload_Offset="0"`."""
        connection = HTTPConnection(self.environment["MAREA_BIND"], timeout=60)
        connection.request(method, url, body, self.headers(**headers))
        response: HTTPResponse = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        connection.close()
        return answer

    def headers(self, **more: str) -> dict[str, str]:
        return {
            "Accept": "application/json",
            "Cookie": f"sessionid={self.session}; csrftoken={CSRF}",
            "X-CSRFToken": CSRF,
            "Tus-Resumable": "1.0.0",
            "Content-Type": "application/offset+octet-stream",
            **{name.replace("_", "-"): value for name, value in more.items()},
        }

    def announce(self, size_bytes: int) -> str:
        answer = self.ask("POST", "/upload/files", Upload_Length=str(size_bytes))
        assert answer.status == 201, answer.body
        return answer.headers["Location"]

    def offset(self, url: str) -> int:
        return int(self.ask("HEAD", url).headers["Upload-Offset"])

    def _listens(self) -> bool:
        try:
            self.connect().close()
        except OSError:
            return False
        return True


@contextmanager
def web_server(data: Path, **settings: str) -> Iterator[WebServer]:
    server = WebServer(data, **settings)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()
