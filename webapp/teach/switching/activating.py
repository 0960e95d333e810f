"""From one model version to another, and back.

What each version saw, its tags, words and index live beside those of the others. The active one
serves until the next has all of it; then one row is switched. The one before stays as it is, so
going back is one row as well.
"""

import logging
from collections.abc import Callable
from functools import cache

from django.db import transaction
from django.utils import timezone

from search.errors import IndexDamaged, IndexMissing, IndexUnreachable
from webapp.accounts.models import User
from webapp.errors import Conflict
from webapp.find.index.building import build_index, index_store, needs_base
from webapp.library.models import Photo
from webapp.teach.judging.verdicts import check_gate, judge
from webapp.teach.models import ModelVersion, lacking_sight
from webapp.teach.switching import readying
from webapp.teach.switching.models import Activation
from webapp.teach.switching.relooking import Looks, Tell, look_ahead, unseen
from webapp.teach.taught import using
from webapp.teach.versions.active import weights_folder
from webapp.teach.versions.folders import verify
from workers import queue

logger = logging.getLogger(__name__)

TELLING = "Writing down its tags and words"
INDEXING = "Making its index"

__all__ = ["activate", "make_ready", "previous_version", "roll_back", "switch", "unseen"]


def activate(
    version: ModelVersion,
    load: Callable[[], Looks],
    *,
    tell: Tell,
    user: User | None = None,
    reason: str = "",
) -> int:
    """Judge `version`, make it ready, then switch to it. `load` gives what looks, and is called
    only if there is something to look at. Returns how many photos it could not read.

    Safe to interrupt at any point and call again: it goes on where it was. Raises `Refused` where
    the gate stays shut; `reason` is why somebody wants it in spite of a worse verdict.
    """
    version.refresh_from_db()
    if version.is_active:
        return 0
    eye = cache(load)
    _note(version, unreadable=[])  # they get another chance each time somebody asks
    judge(version, eye, tell=tell)
    check_gate(version, reason)
    while not switch(version, user=user, reason=reason):
        make_ready(version, eye, tell=tell)
    return len(version.unreadable)


def make_ready(version: ModelVersion, load: Callable[[], Looks], *, tell: Tell) -> None:
    """Everything that a switch needs: sights, tags, words and index of every photo."""
    if unseen(version).exists():
        look_ahead(version, load, tell=tell)
    if not version.is_ready:
        readying.begin(version)
        readying.tell(version, told=lambda done, total: tell(TELLING, done, total))
        using.prepare(version)
    if not _has_index(version):
        tell(INDEXING, 0, 0)
        build_index(version)
    if not version.is_ready:
        _note(version, is_ready=True)


def _has_index(version: ModelVersion) -> bool:
    """Whether web processes can open its index without reading the whole database."""
    try:
        index_store(version).manifest()
    except (IndexMissing, IndexDamaged):
        return False
    except IndexUnreachable:  # nothing can be made there now
        return True
    return version.is_ready and not needs_base(version)


def _note(version: ModelVersion, **fields: object) -> None:
    for name, value in fields.items():
        setattr(version, name, value)
    version.save(update_fields=list(fields))


@transaction.atomic
def switch(version: ModelVersion, *, user: User | None = None, reason: str = "") -> bool:
    """Put `version` to work if nothing is lacking; False if something is. Raises `Refused` where
    the gate stays shut.

    Whoever stores what the active version saw waits for this, or this for them (`store_sights`), so
    no photo becomes ready in between that only the version before has looked at.
    """
    _alone()
    version.refresh_from_db()
    if version.is_active:
        return True
    if not version.is_ready or unseen(version).exists() or not _has_index(version):
        return False
    check_gate(version, reason)
    _flip(version, Activation.Kind.ACTIVATED, user, reason)
    return True


def roll_back(*, user: User | None = None, reason: str = "") -> ModelVersion:
    """Put the version before back to work, with all that it had. Photos that came since are looked
    at by it afterwards; until then they are found by what people, places and names say.

    Raises `Conflict` if there is none, or it is no longer kept ready, `Refused` if its files are
    not what they were.
    """
    verify(weights_folder(previous_version()))
    with transaction.atomic():
        return _roll_back(user, reason)


def _roll_back(user: User | None, reason: str) -> ModelVersion:
    _alone()
    version = previous_version()
    if not version.is_ready:
        raise Conflict(
            f"{version.name} is no longer kept ready, so going back takes a while: put it to work "
            "like a new version. Nothing was changed."
        )
    _flip(version, Activation.Kind.ROLLED_BACK, user, reason)
    return version


def _alone() -> None:
    """Until the transaction ends, nobody else switches or stores what the active version saw."""
    list(ModelVersion.objects.filter(is_active=True).select_for_update(no_key=True))


def _flip(version: ModelVersion, kind: str, user: User | None, reason: str) -> None:
    """The one row, who did it, and the photos that this version has not looked at."""
    before = ModelVersion.objects.active()
    ModelVersion.objects.filter(is_active=True).exclude(pk=version.pk).update(is_active=False)
    ready = Photo.objects.filter(state=Photo.State.READY)
    lacking = lacking_sight(ready, version).update(state=Photo.State.WAITING, attempts=0)
    _note(version, is_active=True, activated_at=timezone.now())
    Activation.objects.create(
        kind=kind,
        version=version,
        name=version.name,
        before=before.name if before else "",
        user=user,
        reason=reason[:500],
    )
    if lacking:
        transaction.on_commit(queue.there_is_work)
    logger.info("%s version=%s lacking=%d", kind, version.name, lacking)


def previous_version() -> ModelVersion:
    """The version that was active before the present one. Raises `Conflict` if there was none."""
    earlier = ModelVersion.objects.filter(is_active=False).exclude(activated_at=None)
    previous = earlier.order_by("-activated_at").first()
    if previous is None:
        raise Conflict("No other version was active before. Nothing was changed.")
    return previous
