"""How signals travel: the same for those who send, those who work and the clock."""

import os
from typing import Any

from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

QUEUES = ("look", "thumbnails", "housekeeping", "models", "reading")


def delivery() -> dict[str, Any]:
    """Celery's configuration of the broker and of what is sent through it."""
    return {
        # Celery spells a socket differently from redis-py.
        "broker_url": settings.REDIS_URL.replace("unix://", "redis+socket://", 1),
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,  # wait for as long as it takes
        "broker_transport_options": {
            "visibility_timeout": 600,
            "socket_timeout": 10,
            "socket_connect_timeout": 5,
        },
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_default_queue": "housekeeping",
        "timezone": "UTC",
    }
