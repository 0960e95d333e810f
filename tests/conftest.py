"""What every test starts from."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import hypothesis
import pytest
from django.conf import settings
from redis import RedisError
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from webapp.find.index import engine
from webapp.find.query import lexicon
from workers import queue
from workers.supervision import marea
from workers.supervision.program import LAUNCH

START_S = 10.0
E2E = "tests/e2e/"


def pytest_configure() -> None:
    """A shell lets what it starts in the background ignore Ctrl-C, and so would our programs."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.fsync = _take_its_word
    hypothesis.settings.register_profile(
        "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("busy")  # a busy machine must not fail a test


def _take_its_word(handle: int) -> None:
    """Nothing that a test writes needs to survive a power cut, and disks take 6 ms a file."""


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    return Sharing(config, log)


class Sharing(LoadFileScheduling):
    """How several workers share the tests: by files, whose tests have fixtures in common.

    One worker has all that drives a browser: two at once would wait for each other's server.
    (`xdist_group` of xdist 3.8 groups nothing under pytest 9.)
    """

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return E2E if file.startswith(E2E) else file


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
