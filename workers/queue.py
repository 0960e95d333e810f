"""The door of the workers: signals that there is work, sent by task name.

What the work is stands in the database. A lost signal costs a few seconds, until the sweeper
sends it again; a signal too many finds nothing to do.
"""

import logging

from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

LOOK = "workers.tasks.look_at_photos"
REMAKE_THUMBNAILS = "workers.tasks.remake_thumbnails"
BUILD_INDEX = "workers.tasks.build_index"


def there_is_work() -> None:
    """Photos wait to be looked at."""
    _send(LOOK, queue="look")


def remake_thumbnails(photo_ids: list[int]) -> None:
    """These photos lack thumbnails."""
    _send(REMAKE_THUMBNAILS, queue="thumbnails", photo_ids=photo_ids)


def build_index() -> None:
    """The index base is missing, damaged or has fallen behind."""
    _send(BUILD_INDEX, queue="housekeeping")


def _send(name: str, *, queue: str, **arguments: object) -> None:
    from workers.app import app  # late: the web process loads Celery only when it sends

    try:
        app.send_task(name, kwargs=arguments, queue=queue, ignore_result=True, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("signal_lost task=%s error=%s", name, type(error).__name__)
