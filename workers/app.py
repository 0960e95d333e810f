"""The Celery application: queues, schedule, and how tasks are delivered."""

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

LOOK_TIME_S = 60  # one look task ends well before Redis would deliver it again

app = Celery("marea")


def _broker_url() -> str:
    """Celery spells a socket differently from redis-py."""
    return settings.REDIS_URL.replace("unix://", "redis+socket://", 1)


app.conf.update(
    broker_url=_broker_url(),
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 600, "socket_timeout": 10},
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_serializer="json",
    accept_content=["json"],
    task_default_queue="housekeeping",
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    timezone="UTC",
    imports=["workers.tasks"],
    beat_schedule={
        "sweep": {"task": "workers.tasks.sweep", "schedule": settings.MAREA_SWEEP_S},
        "tidy": {"task": "workers.tasks.tidy", "schedule": 3600.0},
    },
)
