"""An import that is interrupted in every way that costs the workers their memory.

Real processes: the supervisor, Valkey, Celery workers, decoders and the network.
"""

import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from redis import Redis

from tests.factories import image_bytes
from tests.stack import ROOT, Stack, environment_for, running_stack
from tests.workers.deadly import deadly_file
from workers import queue

pytestmark = pytest.mark.processes

PHOTOS = 300
BATCH = 8
PATIENCE_S = 900.0  # far more than it takes; a busy machine must not fail a test
QUICK = {"MAREA_LEASE_S": "20", "MAREA_SWEEP_S": "2", "MAREA_LOOK_BATCH": str(BATCH)}


def draw(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:03}.jpg").write_bytes(image_bytes(seed=number))
    return folder


def ask(data: Path, sql: str, *values: str) -> list[tuple[Any, ...]]:
    """Ask the database of running workers, which is not this process's test database."""
    connection = sqlite3.connect(f"file:{data / 'marea.sqlite3'}?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def count(data: Path, state: str) -> int:
    return int(ask(data, "SELECT COUNT(*) FROM library_photo WHERE state = ?", state)[0][0])


def wait_for(condition: Callable[[], object], explain: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.1)


def create_user(stack: Stack) -> None:
    code = "from webapp.accounts.models import User; User.objects.create_superuser('admin')"
    stack.manage("shell", "-v0", "-c", code)


def test_killed_workers_and_a_flushed_redis_lose_nothing_and_do_nothing_twice(
    tmp_path: Path,
) -> None:
    photos = draw(tmp_path / "photos", PHOTOS)
    with running_stack(tmp_path / "stack", **QUICK) as stack:
        data = stack.folder / "data"
        redis = Redis.from_url(f"unix://{stack.valkey_socket}")
        create_user(stack)
        importing = subprocess.Popen(
            [sys.executable, "manage.py", "import_photos", str(photos)],
            cwd=ROOT,
            env=stack.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

        wait_for(lambda: count(data, "ready") >= 2 * BATCH, stack.log)
        looker = stack.program("look@")
        decoders = looker.children()
        looker.kill()
        redis.flushall()
        ready_at_kill = count(data, "ready")
        wait_for(lambda: count(data, "ready") > ready_at_kill + 2 * BATCH, stack.log)
        redis.flushall()

        assert importing.wait(timeout=PATIENCE_S) == 0
        wait_for(lambda: count(data, "ready") + count(data, "failed") == PHOTOS, stack.log)
        log = stack.log()
        assert not any(decoder.is_running() for decoder in decoders)

    assert ready_at_kill < PHOTOS
    assert_each_photo_was_seen_once(data, log)


def assert_each_photo_was_seen_once(data: Path, log: str) -> None:
    photos = ask(data, "SELECT state, holder, error, attempts FROM library_photo")
    assert {photo[:3] for photo in photos} == {("ready", "", "")}
    assert len(photos) == PHOTOS
    # The killed worker held the batch that it looked at and the one that was being decoded.
    attempts = [photo[3] for photo in photos]
    assert set(attempts) <= {1, 2}
    assert attempts.count(2) <= 2 * BATCH

    sights = ask(data, "SELECT photo_id FROM teach_sight")
    assert len(sights) == len(set(sights)) == PHOTOS
    # What was stored, as the workers tell it. The killed one may have kept silent on one batch.
    stored = sum(int(number) for number in re.findall(r"looked .* stored=(\d+)", log))
    assert PHOTOS - BATCH <= stored <= PHOTOS

    thumbnails = list((data / "thumbnails").rglob("*.webp"))
    assert len(thumbnails) == 2 * PHOTOS
    # A killed worker leaves at most what its threads were writing, under names nobody reads.
    assert len(list((data / "thumbnails").rglob(".writing-*"))) <= settings.MAREA_DECODERS


def test_a_photo_that_kills_its_worker_is_set_aside_after_three_attempts(
    tmp_path: Path, valkey: None
) -> None:
    photos = draw(tmp_path / "photos", 6)
    (photos / "deadly.png").write_bytes(deadly_file())
    stack = prepared_folder(tmp_path, MAREA_LEASE_S="2", REDIS_URL=settings.REDIS_URL)
    data = stack.folder / "data"
    stack.manage("import_photos", str(photos))

    for _ in range(3):
        with a_deadly_worker(stack) as worker:
            signal_until(lambda worker=worker: worker.poll() is not None)
            assert worker.returncode == -signal.SIGKILL
    with a_deadly_worker(stack) as worker:
        signal_until(lambda: count(data, "waiting") == 0)
        worker.terminate()

    rows = ask(data, "SELECT state, error, attempts FROM library_photo ORDER BY state")
    assert [row[0] for row in rows] == ["failed"] + ["ready"] * 6
    assert "ended the worker each time" in rows[0][1]
    assert rows[0][2] == 3
    assert {row[2] for row in rows[1:]} <= {1, 2}


def prepared_folder(folder: Path, **environment: str) -> Stack:
    """A stack whose database is there, but nothing runs."""
    stack = Stack(folder, environment_for(folder, **environment))
    stack.manage("migrate")
    create_user(stack)
    return stack


def a_deadly_worker(stack: Stack) -> subprocess.Popen[bytes]:
    options = ("--pool=solo", "--queues=look", "--without-mingle", "--without-gossip")
    return subprocess.Popen(
        [sys.executable, "-m", "celery", "--app=tests.workers.deadly", "worker", *options],
        cwd=ROOT,
        env=stack.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def signal_until(condition: Callable[[], object]) -> None:
    """Send signals, as the sweeper would, until the condition holds."""

    def holds() -> object:
        queue.there_is_work()
        return condition()

    wait_for(holds, lambda: "the worker did not do its work")
