"""Each worker reports itself in the database, so that people can see what is at work."""

import logging
import os
import sys
import threading

import psutil
from celery.signals import worker_ready, worker_shutting_down
from django.db import DatabaseError, connection
from django.utils import timezone

from webapp.library.models import Worker

logger = logging.getLogger(__name__)

EVERY_S = 10.0

_stopped = threading.Event()


@worker_ready.connect
def start(sender: object, **_: object) -> None:
    """Report from a thread: with the solo pool the main one is busy with tasks."""
    name = sender.hostname  # type: ignore[attr-defined]
    queues = ",".join(sorted(sender.app.amqp.queues.consume_from))  # type: ignore[attr-defined]
    threading.Thread(target=_beat, args=(name, queues), name="heartbeat", daemon=True).start()


@worker_shutting_down.connect
def stop(**_: object) -> None:
    _stopped.set()


def _beat(name: str, queues: str) -> None:
    started_at = timezone.now()
    while True:
        try:
            Worker.objects.update_or_create(
                name=name,
                defaults={
                    "queues": queues,
                    "pid": os.getpid(),
                    "started_at": started_at,
                    "seen_at": timezone.now(),
                    "memory_mb": memory_mb(),
                    "device": device(),
                },
            )
        except DatabaseError as error:
            logger.warning("heartbeat_lost worker=%s error=%s", name, type(error).__name__)
        finally:
            connection.close()
        if _stopped.wait(EVERY_S):
            break
    _sign_off(name)


def _sign_off(name: str) -> None:
    try:
        Worker.objects.filter(name=name, pid=os.getpid()).delete()
    except DatabaseError as error:
        logger.warning("sign_off_lost worker=%s error=%s", name, type(error).__name__)
    finally:
        connection.close()


def memory_mb() -> int:
    """Resident memory of this process and its decoders."""
    process = psutil.Process()
    total = process.memory_info().rss
    for child in process.children():
        try:
            total += child.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total >> 20


def device() -> str:
    """What the network runs on, as far as this process knows: "cuda" or "cpu"."""
    torch = sys.modules.get("torch")  # loaded only by a worker that looks
    # Another thread may be at loading it this moment; then it is not whole yet.
    is_available = getattr(getattr(torch, "cuda", None), "is_available", None)
    return "cuda" if is_available and is_available() else "cpu"
