"""The door of the workers: signals that there is work, sent by task name.

What the work is stands in the database. A lost signal costs a few seconds, until the sweeper
sends it again; a signal too many finds nothing to do.
"""

import logging
from functools import lru_cache

from django.conf import settings
from kombu.exceptions import OperationalError
from redis import Redis, RedisError

logger = logging.getLogger(__name__)

LOOK = "workers.tasks.look_at_photos"
REMAKE_THUMBNAILS = "workers.tasks.remake_thumbnails"
BUILD_INDEX = "workers.tasks.build_index"
DRAW_HEAT_MAPS = "workers.tasks.draw_heat_maps"
EMBED_EXAMPLES = "workers.tasks.embed_examples"
STACK_PHOTOS = "workers.tasks.stack_photos"
WORK_ON_MODELS = "workers.tasks.work_on_models"
READ_TEXTS = "workers.tasks.read_texts"
TELL_TAUGHT_TAGS = "workers.tasks.tell_taught_tags"
LET_GO_OF_VERSIONS = "workers.tasks.let_go_of_versions"

# While a signal is on its way, the same one need not be sent again: thousands of uploads send a
# handful. The mark wears off, in case the signal was lost after all.
ON_ITS_WAY_S = 10


def there_is_work() -> None:
    """Photos wait to be looked at."""
    _send_once(LOOK, queue="look")


def remake_thumbnails(photo_ids: list[int]) -> None:
    """These photos lack thumbnails."""
    _send(REMAKE_THUMBNAILS, queue="thumbnails", photo_ids=photo_ids)


def build_index() -> None:
    """The index base is missing, damaged or has fallen behind."""
    _send_once(BUILD_INDEX, queue="housekeeping")


def heat_maps_wait() -> None:
    """Somebody waits for a heat map."""
    _send_once(DRAW_HEAT_MAPS, queue="thumbnails")


def examples_wait() -> None:
    """Somebody waits for a search by a picture."""
    _send_once(EMBED_EXAMPLES, queue="look")


def stacks_are_behind() -> None:
    """Photos changed that stacks have not followed yet."""
    _send_once(STACK_PHOTOS, queue="housekeeping")


def taught_tags_wait() -> None:
    """A taught tag has not told all of its owner's library."""
    _send_once(TELL_TAUGHT_TAGS, queue="housekeeping")


def models_wait() -> None:
    """An administrator asked for a model to be pulled, adopted or put to work."""
    _send_once(WORK_ON_MODELS, queue="models")


def versions_leave() -> None:
    """There are model versions that the rule lets go of."""
    _send_once(LET_GO_OF_VERSIONS, queue="housekeeping")


def texts_wait() -> None:
    """Photos were looked at whose text nobody has read yet."""
    _send_once(READ_TEXTS, queue="reading")


def arrived(name: str) -> None:
    """A worker has this signal in hand; what comes from now on needs another one."""
    try:
        redis().delete(_mark(name))
    except RedisError as error:
        logger.warning("mark_kept task=%s error=%s", name, type(error).__name__)


@lru_cache(maxsize=1)
def redis() -> Redis:
    """The server that carries the signals, for questions of our own."""
    return Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)


def _send_once(name: str, *, queue: str) -> None:
    try:
        if redis().set(_mark(name), 1, nx=True, ex=ON_ITS_WAY_S):
            _send(name, queue=queue)
    except RedisError as error:
        _lost(name, error)


def _send(name: str, *, queue: str, **arguments: object) -> None:
    from workers.app import app  # late: the web process loads Celery only when it sends

    try:
        app.send_task(name, kwargs=arguments, queue=queue, ignore_result=True, retry=False)
    except (OperationalError, OSError) as error:
        _lost(name, error)


def _lost(name: str, error: Exception) -> None:
    logger.warning("signal_lost task=%s error=%s", name, type(error).__name__)


def _mark(name: str) -> str:
    return f"marea:on-its-way:{name}"
