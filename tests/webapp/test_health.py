"""/healthz tells monitors whether all is well, and why not, without secrets."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from webapp.find.index.building import build_index, index_folder
from webapp.library.models import Worker
from webapp.teach.services import active_version
from workers import queue

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def a_worker(queues: str) -> Worker:
    now = timezone.now()
    return Worker.objects.create(
        name=queues, queues=queues, pid=1, started_at=now, seen_at=now, memory_mb=1
    )


@pytest.fixture
def workers() -> None:
    a_worker("look")
    a_worker("housekeeping,thumbnails")


@pytest.fixture
def no_redis(valkey: None, settings: Settings) -> Iterator[None]:
    settings.REDIS_URL = "redis://:secret@127.0.0.1:1/0"
    queue.redis.cache_clear()
    yield
    queue.redis.cache_clear()


@pytest.mark.usefixtures("workers")
def test_all_is_well(client: Client) -> None:
    answer = client.get("/healthz")

    assert answer.status_code == 200
    assert answer.json() == {
        "database": "ok",
        "queue": "ok",
        "workers": "2 at work",
        "index": "no base yet",
        "active_version": active_version().name,
    }
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_queue_that_nobody_serves(client: Client) -> None:
    a_worker("housekeeping,thumbnails")

    answer = client.get("/healthz")

    assert answer.status_code == 503
    assert answer.json()["reason"] == "No worker serves the queue look."


def test_a_worker_that_fell_silent_does_not_count(client: Client, workers: None) -> None:
    Worker.objects.filter(queues="look").update(seen_at="2026-01-01T00:00Z")

    assert "queue look" in client.get("/healthz").json()["reason"]


@pytest.mark.usefixtures("workers", "no_redis")
def test_redis_is_down(client: Client) -> None:
    answer = client.get("/healthz")

    assert answer.status_code == 503
    assert answer.json()["queue"] == "unwell"
    assert answer.json()["reason"].startswith("The Redis server does not answer")
    assert "secret" not in answer.content.decode()


def test_the_database_is_down(tmp_path: Path) -> None:
    """In a process of its own, as this one's database is up."""
    ask = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "answer = Client(headers={'host': 'localhost'}).get('/healthz')\n"
        "print(answer.status_code, answer.json()['reason'])"
    )
    environment = {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "MAREA_DATA": str(tmp_path),
        "DATABASE_URL": "postgres://somebody:secret@127.0.0.1:1/nothing",
    }

    asked = subprocess.run(
        [sys.executable, "-c", ask], env=environment, text=True, capture_output=True
    )

    assert asked.stdout.strip() == "503 The database does not answer (OperationalError)."


@pytest.mark.usefixtures("workers")
def test_a_damaged_index(client: Client) -> None:
    version = active_version()
    build_index(version)
    assert client.get("/healthz").json()["index"] == "0 photos in the base, 0 changed since"

    (index_folder(version) / "manifest.json").write_text("{")
    answer = client.get("/healthz")

    assert answer.status_code == 503
    assert "index is damaged" in answer.json()["reason"]


@pytest.mark.usefixtures("workers")
def test_missing_weights(client: Client, tmp_path: Path) -> None:
    version = active_version()
    version.folder = f"{tmp_path}/nowhere"
    version.save()

    answer = client.get("/healthz")

    assert answer.status_code == 503
    assert answer.json()["reason"].startswith("The weights of the model version")
    assert str(tmp_path) not in answer.content.decode()


@pytest.mark.usefixtures("workers")
def test_it_costs_few_queries(
    client: Client, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    client.get("/healthz")

    with django_assert_max_num_queries(6):  # type: ignore[operator]
        client.get("/healthz")
