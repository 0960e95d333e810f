"""GET /healthz: is everything that Marea needs at work?"""

from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import RedisError

from search.errors import IndexDamaged, IndexMissing, IndexUnreachable
from webapp.find.index.building import index_store
from webapp.library.models import Photo, Worker
from webapp.teach.services import active_version, weights_folder
from workers import queue

QUEUES = {"look", "thumbnails", "housekeeping"}


class Unwell(Exception):
    """What is not at work, in a sentence without secrets."""


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when all is well; 503 and the first reason when it is not."""
    checks: dict[str, Callable[[], str]] = {
        "database": _database,
        "queue": _queue,
        "workers": _workers,
        "index": _index,
        "active_version": _active_version,
    }
    answer: dict[str, str] = {}
    for name, check in checks.items():
        try:
            answer[name] = check()
        except Unwell as error:
            answer[name] = "unwell"
            answer.setdefault("reason", str(error))
            if name == "database":
                break  # the other checks ask it
    response = JsonResponse(answer, status=503 if "reason" in answer else 200)
    response._has_been_logged = True  # type: ignore[attr-defined]  # a monitor asks all the time
    return response


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        raise Unwell(f"The database does not answer ({type(error).__name__}).") from error
    return "ok"


def _queue() -> str:
    try:
        queue.redis().ping()
    except RedisError as error:
        raise Unwell(f"The Redis server does not answer ({type(error).__name__}).") from error
    return "ok"


def _workers() -> str:
    present = Worker.objects.present().values_list("queues", flat=True)
    served = [queues.split(",") for queues in present]
    missing = QUEUES.difference(*served)
    if missing:
        raise Unwell(f"No worker serves the queue {', '.join(sorted(missing))}.")
    return f"{len(served)} at work"


def _index() -> str:
    try:
        manifest = index_store(active_version()).manifest()
    except IndexMissing:
        return "no base yet"  # a small library is searched without one
    except IndexDamaged as error:
        raise Unwell("The search index is damaged; a worker makes it again.") from error
    except IndexUnreachable as error:
        raise Unwell(f"{error} Search goes on by words.") from error
    later = Photo.objects.changed_after(manifest.high_water_mark).count()
    return f"{manifest.count} photos in the base, {later} changed since"


def _active_version() -> str:
    version = active_version()
    if not weights_folder(version).is_dir():
        raise Unwell(f"The weights of the model version {version.name} are missing.")
    return version.name
