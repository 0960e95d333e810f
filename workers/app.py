"""The Celery application of those who work and of those who send."""

import warnings

from celery import Celery
from celery.exceptions import SecurityWarning
from celery.signals import setup_logging

from workers.delivery import delivery

# It warns root of pickles in messages; ours are JSON and nothing else is accepted.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("marea")
app.conf.update(
    delivery(),
    worker_prefetch_multiplier=1,
    worker_enable_remote_control=False,
    imports=["workers.tasks", "workers.heartbeat"],
)


@setup_logging.connect
def keep_logging_as_it_is(**_: object) -> None:
    """Log as the settings say: with a receiver here, Celery leaves logging alone."""
