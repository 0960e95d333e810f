"""Fixtures for all rooms."""

import subprocess
import time
from collections.abc import Iterator

import pytest
from redis import RedisError

from workers import queue
from workers.supervision import marea

START_S = 10.0


@pytest.fixture(scope="session")
def _valkey_server() -> Iterator[None]:
    with subprocess.Popen(marea.valkey().command, stdout=subprocess.DEVNULL) as server:
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
