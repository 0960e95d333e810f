"""Taught tags at work: switched on and off, true while examples, photos and versions change."""

import math
import time
from collections.abc import Callable, Iterator

import numpy as np
from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, QuerySet
from django.utils import timezone

from webapp.accounts.models import User
from webapp.errors import Conflict
from webapp.find.index.documents import versions_told
from webapp.library.models import Photo, PhotoQuerySet
from webapp.library.services.reading import chosen
from webapp.teach.corrections import saying
from webapp.teach.models import ModelVersion, PhotoTag
from webapp.teach.seen_tags import tags_named
from webapp.teach.services import active_version, tidy_tag
from webapp.teach.taught import tagging
from webapp.teach.taught.models import TaughtLine, TaughtTag
from webapp.teach.taught.teaching import LEAST_EXAMPLES, Examples, examples_of, learn_line, said_of
from workers import queue

AT_ONCE_S = 1.5  # so long a request tags a library itself; a worker does the rest
BATCH = 1_000  # ids in one statement

Source = PhotoTag.Source


def switch_on(taught: TaughtTag) -> bool:
    """Let it tag the owner's library, and new photos as they are looked at. Returns whether the
    whole library is tagged already; else a worker goes on.

    Raises `Conflict` while there are too few examples, and when it was deleted meanwhile.
    """
    if not TaughtTag.objects.kept().filter(pk=taught.pk).update(is_on=True):
        raise Conflict(
            f"“{taught.tag.name}” was deleted. Bring it back, then switch it on.", code="deleted"
        )
    taught.is_on = True
    line = refit(taught, active_version())
    if line is None:
        TaughtTag.objects.filter(pk=taught.pk).update(is_on=False)
        raise Conflict(
            f"“{taught.tag.name}” needs at least {LEAST_EXAMPLES} examples that Marea has looked "
            "at. Mark some more, then switch it on.",
            code="too_few_examples",
        )
    done = tagging.tell_library(line, seconds=AT_ONCE_S, stopping=lambda: False)
    if is_behind():
        queue.taught_tags_wait()
    return done


def switch_off(taught: TaughtTag) -> bool:
    """Its tags go away; what its owner said stays. Returns whether all are gone already; else a
    worker goes on."""
    return _switch_off(taught, seconds=AT_ONCE_S)


def _switch_off(taught: TaughtTag, *, seconds: float) -> bool:
    TaughtTag.objects.filter(pk=taught.pk).update(is_on=False)
    taught.is_on = False
    done = tagging.take_off(taught, seconds=seconds)
    if not done:
        queue.taught_tags_wait()
    return done


def delete(taught: TaughtTag) -> None:
    """Teach it no longer. What its owner said stays, and it can be restored."""
    switch_off(taught)
    TaughtTag.objects.filter(pk=taught.pk).update(deleted_at=timezone.now())


def restore(taught: TaughtTag) -> None:
    """Bring it back, switched off."""
    TaughtTag.objects.filter(pk=taught.pk).update(deleted_at=None)


def rename(taught: TaughtTag, name: str) -> TaughtTag:
    """Call it `name`: on all its examples, and wherever it tags. Raises `Conflict` for a name that
    the owner teaches already."""
    new = tags_named([tidy_tag(name)])[tidy_tag(name)]
    if other := TaughtTag.objects.filter(owner=taught.owner, tag=new).first():
        raise Conflict(_taken(new.name, is_deleted=other.deleted_at is not None), code="name_taken")
    is_on, examples = taught.is_on, examples_of(taught)
    _switch_off(taught, seconds=math.inf)  # all of them, as nobody finds the old name later
    with transaction.atomic():
        for photos in _batches(taught.owner, examples.only(examples.shows)):
            saying.rename_tag(taught.owner, photos, taught.tag.name, new.name)
        for photos in _batches(taught.owner, examples.only(~examples.shows)):
            saying.reject_tag(taught.owner, photos, new.name)
        TaughtTag.objects.filter(pk=taught.pk).update(tag=new)
    taught.tag = new
    if is_on and examples.count >= LEAST_EXAMPLES:
        switch_on(taught)
    return taught


def _taken(name: str, *, is_deleted: bool) -> str:
    if is_deleted:
        return (
            f"You taught “{name}” before and deleted it. Begin to teach it again, and it knows "
            "what it knew. Nothing was changed."
        )
    return f"You teach “{name}” already. Nothing was changed."


def _batches(owner: User, examples: Examples) -> Iterator[PhotoQuerySet]:
    ids = examples.ids.tolist()
    for at in range(0, len(ids), BATCH):
        yield chosen(owner, ids[at : at + BATCH])


def is_behind() -> bool:
    """Whether a tag at work has not told all of its library, or has examples it has not learnt
    from, by any version that is kept ready; or one that was switched off is still on photos."""
    at_work = _at_work()
    behind = any(not _is_told(each, version) for version in versions_told() for each in at_work)
    return behind or _left_over().exists()


def follow(*, seconds: float, stopping: Callable[[], bool]) -> None:
    """Bring all tags at work up to date, for about `seconds`; those of the active version first."""
    until = time.monotonic() + seconds
    for taught in _left_over():
        tagging.take_off(taught, seconds=until - time.monotonic(), stopping=stopping)
    at_work, active = _at_work(), active_version()
    for version in sorted(versions_told(), key=lambda each: each != active):
        for taught in at_work:
            left = until - time.monotonic()
            if left <= 0 or stopping():
                return
            if not _is_told(taught, version) and (line := refit(taught, version)):
                tagging.tell_library(line, seconds=left, stopping=stopping)


def prepare(version: ModelVersion) -> None:
    """Let tags at work learn and tell in the embeddings of a version that is made ready."""
    TaughtLine.objects.filter(version=version).update(told_through=0, is_told=False)
    for taught in _at_work():
        if line := refit(taught, version):
            tagging.tell_library(line, seconds=math.inf, stopping=lambda: False)


def _left_over() -> QuerySet[TaughtTag]:
    """Tags that are not at work and still on photos: whoever switched them off was interrupted."""
    there = PhotoTag.objects.filter(
        tag=OuterRef("tag"), source=Source.TAUGHT, photo__owner=OuterRef("owner")
    )
    off = TaughtTag.objects.exclude(pk__in=TaughtTag.objects.at_work().values("pk"))
    return off.filter(Exists(there)).select_related("tag", "owner").order_by("pk")


def _at_work() -> list[TaughtTag]:
    return list(TaughtTag.objects.at_work().select_related("tag", "owner").order_by("pk"))


def _is_told(taught: TaughtTag, version: ModelVersion) -> bool:
    line = taught.lines.filter(version=version, is_told=True).first()
    return line is not None and line.learnt_from == _print_of(taught)


def refit(taught: TaughtTag, version: ModelVersion) -> TaughtLine | None:
    """Its line in the embeddings of `version`, learnt anew if the examples changed; None while that
    version has seen too few of them."""
    learnt_from = _print_of(taught)
    line = TaughtLine.objects.filter(taught=taught, version=version).first()
    if line and line.learnt_from == learnt_from:
        line.taught, line.version = taught, version
        return line
    ready = Photo.objects.visible_to(taught.owner).searchable()
    library = np.array(ready.order_by("pk").values_list("pk", flat=True), np.int64)
    found = learn_line(taught, version, examples_of(taught), library)
    if found is None:
        return None
    values = {"numbers": found[0].as_bytes(), "learnt_from": learnt_from}
    line, _ = TaughtLine.objects.update_or_create(
        taught=taught,
        version=version,
        defaults=values | {"told_through": 0, "is_told": False},
    )
    return line


def _print_of(taught: TaughtTag) -> str:
    """Another one whenever something else was said: every word is a row with a new number."""
    said = said_of(taught).aggregate(count=Count("pk"), newest=Max("pk"))
    return f"{taught.tag_id}: {said['count']}, {said['newest']}"
