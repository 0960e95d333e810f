"""What every test starts from."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from django.conf import settings
from redis import RedisError

from webapp.find.index import engine
from webapp.find.query import lexicon
from workers import queue
from workers.supervision import marea
from workers.supervision.program import LAUNCH

START_S = 10.0


def pytest_configure() -> None:
    """A shell lets what it starts in the background ignore Ctrl-C, and so would our programs."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the database, so that `make test` can run it on PostgreSQL as well."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if item.get_closest_marker("django_db") or fixtures & {"db", "transactional_db"}:
            item.add_marker("database")


@pytest.fixture(autouse=True)
def no_index() -> None:
    """The process's index and words follow its database; a test's is rolled back behind them."""
    engine.close()
    lexicon.forget()
    shutil.rmtree(settings.MAREA_INDEX, ignore_errors=True)


@pytest.fixture(scope="session")
def _valkey_server() -> Iterator[None]:
    launch = [sys.executable, str(LAUNCH), str(os.getpid())]  # it ends with this process
    command = [*launch, *marea.valkey().command]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as server:
        try:
            _wait_for_answer()
            yield
        finally:
            server.terminate()


@pytest.fixture
def valkey(_valkey_server: None) -> None:
    """The embedded Valkey, empty, where the settings expect it."""
    queue.redis().flushall()


def _wait_for_answer() -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            queue.redis().ping()
            return
        except RedisError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
