"""The schedule. Its application sends tasks by name and loads none of them, nor Django's models:
a process that only watches the time takes a third of the memory so.
"""

from typing import Any

from celery import Celery
from django.conf import settings

from workers.delivery import delivery

TIDY_S = 3600.0
LEARN_RANKING_S = 24 * 3600.0


def _every(seconds: float, task: str) -> dict[str, Any]:
    """A schedule entry; what no worker took until the next one is due is dropped."""
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


app = Celery("marea", fixups=[])
app.conf.update(
    delivery(),
    beat_schedule={
        "sweep": _every(settings.MAREA_SWEEP_S, "workers.tasks.sweep"),
        "tidy": _every(TIDY_S, "workers.tasks.tidy"),
        "learn_ranking": _every(LEARN_RANKING_S, "workers.tasks.learn_ranking"),
    },
)
