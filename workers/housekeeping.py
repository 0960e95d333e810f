"""What is done now and then: the index kept fresh, and what has served its time removed."""

import logging
from datetime import timedelta
from time import monotonic

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.sessions.models import Session
from django.utils import timezone

from search.errors import IndexBusy, IndexUnreachable
from webapp.examples.models import ExampleImage
from webapp.find.history import events
from webapp.find.index import building
from webapp.find.models import HeatMap
from webapp.library.models import DeletedPhoto, Photo, Worker
from webapp.library.services.places import place_photos
from webapp.library.services.trash import delete_photos, expired_trash
from webapp.library.services.uploads import expire_uploads
from webapp.teach.datasets import tidying
from webapp.teach.models import ModelVersion
from webapp.teach.runs import forgetting
from webapp.teach.services import active_version
from webapp.teach.switching import retention

logger = logging.getLogger(__name__)

PORTION = 500  # photos deleted in one transaction
SIGN_INS_KEPT = timedelta(days=30)


def build_index() -> None:
    """Make a new index base, unless another process is at it; and of every other version that may
    serve at once, where it fell behind."""
    active = active_version()
    others = [each for each in ModelVersion.objects.told().filter(is_ready=True) if each != active]
    try:
        building.renew_index(active)
        for version in others:
            if building.needs_base(version):
                building.renew_index(version)
    except IndexBusy:
        logger.info("index_busy")
    except IndexUnreachable as error:  # the sweeper asks again
        logger.warning("index_unreachable reason=%s", error)


def index_is_behind() -> bool:
    """Whether a new base would spare web processes much, now or after a switch."""
    active_version()  # registers the shipped one on first use
    return any(map(building.needs_base, ModelVersion.objects.told().filter(is_ready=True)))


def find_places(*, seconds: float) -> None:
    """Look up where photos were taken that are older than Marea's gazetteer, for so long."""
    until = monotonic() + seconds
    placed = 0
    while monotonic() < until and (portion := place_photos(PORTION)):
        placed += portion
    if placed:
        logger.info("placed photos=%d", placed)


def tidy() -> None:
    """Remove what has served its time."""
    deleted = empty_expired_trash()
    forget_deleted()
    uploads = expire_uploads()
    now = timezone.now()
    HeatMap.objects.expired().delete()
    events.forget_expired()
    ExampleImage.objects.expired().delete()
    Session.objects.filter(expire_date__lt=now).delete()
    Worker.objects.forgotten().delete()
    retention.tidy()
    tidying.tidy()
    forgetting.forget_gone()
    for log in (AccessAttempt, AccessFailureLog, AccessLog):
        log.objects.filter(attempt_time__lt=now - SIGN_INS_KEPT).delete()
    logger.info("tidied photos=%d uploads=%d", deleted, uploads)


def empty_expired_trash() -> int:
    """Delete for good what has been in the trash for too long. Returns how many photos."""
    deleted = 0
    while portion := list(expired_trash().values_list("pk", flat=True)[:PORTION]):
        deleted += delete_photos(Photo.objects.filter(pk__in=portion))
    return deleted


def forget_deleted() -> None:
    """Drop the memory of deletions that happened before the index bases were made.

    A web process that has not followed them opens one of the bases first, and they are not in it.
    So it is with every version whose index is kept, which may serve again.
    """
    active_version()  # registers the shipped one on first use
    try:
        stores = [building.index_store(each) for each in ModelVersion.objects.told()]
        mark = min(store.oldest_mark() for store in stores)
    except IndexUnreachable:
        return
    DeletedPhoto.objects.filter(change_number__lte=mark).delete()
