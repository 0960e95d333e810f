"""The Celery application: queues, schedule, and how tasks are delivered."""

import os
import warnings
from typing import Any

from celery import Celery
from celery.exceptions import SecurityWarning
from celery.signals import setup_logging
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

TIDY_S = 3600.0
QUEUES = ("look", "thumbnails", "housekeeping")

# It warns root of pickles in messages; ours are JSON and nothing else is accepted.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("marea")


def _broker_url() -> str:
    """Celery spells a socket differently from redis-py."""
    return settings.REDIS_URL.replace("unix://", "redis+socket://", 1)


@setup_logging.connect
def keep_logging_as_it_is(**_: object) -> None:
    """Log as the settings say: with a receiver here, Celery leaves logging alone."""


def _every(seconds: float, task: str) -> dict[str, Any]:
    """A schedule entry; what no worker took until the next one is due is dropped."""
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


app.conf.update(
    broker_url=_broker_url(),
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # wait for the broker for as long as it takes
    broker_transport_options={
        "visibility_timeout": 600,
        "socket_timeout": 10,
        "socket_connect_timeout": 5,
    },
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_serializer="json",
    accept_content=["json"],
    task_default_queue="housekeeping",
    worker_prefetch_multiplier=1,
    worker_enable_remote_control=False,
    timezone="UTC",
    imports=["workers.tasks", "workers.heartbeat"],
    beat_schedule={
        "sweep": _every(settings.MAREA_SWEEP_S, "workers.tasks.sweep"),
        "tidy": _every(TIDY_S, "workers.tasks.tidy"),
    },
)
