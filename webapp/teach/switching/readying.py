"""What a version needs beside its sights so that a switch to it is one row: its tags and its words,
for every photo, kept up to date from then on as the active version's are.

Its tags are rows of `PhotoTag` with its name, its words a full-text table of its own. Both are
written photo by photo in the order of their ids, and how far that came is in the version's row, so
whoever is killed goes on there. Photos beyond that point are told by whatever changes them.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from django.db import connection, transaction
from django.db.models import QuerySet

from search import fulltext
from webapp.find.index.documents import index_photos
from webapp.library.models import Photo
from webapp.teach.models import ModelVersion, PhotoTag, Sight
from webapp.teach.seen_tags import store_model_tags
from webapp.teach.services import Seen, sights_of, tell_seen

BATCH = 500
PORTION = 5_000  # rows deleted in one transaction

Told = Callable[[int, int], object]  # photos done, of how many


@transaction.atomic
def begin(version: ModelVersion) -> None:
    """From here on every change of a photo is told to this version's table as well."""
    if version.texts:
        return
    version.texts, version.told_until = f"{fulltext.TABLE}_{version.pk}", 0
    fulltext.drop_table(connection, version.texts)
    fulltext.create_table(connection, version.texts)
    version.save(update_fields=["texts", "told_until"])


def tell(version: ModelVersion, *, told: Told = lambda done, total: None) -> None:
    """Write the tags and words of every photo that was not told yet. Safe to interrupt."""
    total, done = Photo.objects.count(), Photo.objects.filter(pk__lte=version.told_until).count()
    while photo_ids := _after(version.told_until):
        _tell(version, photo_ids, until=photo_ids[-1])
        done += len(photo_ids)
        told(done, total)
    while photo_ids := list(untold(version)[:BATCH]):  # that were added while it began
        _tell(version, photo_ids, until=version.told_until)


def _after(last: int) -> list[int]:
    photos = Photo.objects.filter(pk__gt=last).order_by("pk")
    return list(photos.values_list("pk", flat=True)[:BATCH])


@transaction.atomic
def _tell(version: ModelVersion, photo_ids: Sequence[int], *, until: int) -> None:
    there = Photo.objects.filter(pk__in=photo_ids).lock()
    sights = Sight.objects.filter(version=version, photo__in=there).select_related("photo")
    store_model_tags(version, [(sight.photo, sight) for sight in sights.defer("embedding")])
    index_photos(there, of=version)
    version.told_until = until
    version.save(update_fields=["told_until"])


def untold(version: ModelVersion) -> "QuerySet[Photo, int]":
    """Ids of the photos of which the version's table knows nothing."""
    known = fulltext.known(connection, table=version.table)
    return Photo.objects.exclude(pk__in=known).order_by("pk").values_list("pk", flat=True)


def versions_ready() -> Iterator[ModelVersion]:
    """Those whose tables should know every photo."""
    return ModelVersion.objects.told().filter(is_ready=True).iterator()


@transaction.atomic
def store_seen(version: ModelVersion, looked: Sequence[tuple[Photo, Seen]]) -> int:
    """Store what a version saw that does not serve. Returns how many of the photos still exist."""
    there = set(Photo.objects.filter(pk__in=[photo.pk for photo, _ in looked]).lock())
    kept = [(photo, seen) for photo, seen in looked if photo.pk in there]
    Sight.objects.bulk_create(sights_of(version, kept), ignore_conflicts=True)
    if version.texts:
        store_model_tags(version, kept)
        tell_seen(version, kept)
        index_photos(sorted(there), of=version)
    if version.is_ready:  # its index was made without them
        Photo.objects.filter(pk__in=there).mark_changed()
    return len(kept)


def forget(version: ModelVersion) -> None:
    """Take tags and words of a version away that does not serve; its sights stay."""
    with transaction.atomic():
        if version.texts:
            fulltext.drop_table(connection, version.texts)
        version.texts, version.told_until, version.is_ready = "", 0, False
        version.save(update_fields=["texts", "told_until", "is_ready"])
    tags = PhotoTag.objects.filter(version=version)
    while portion := list(tags.values_list("pk", flat=True)[:PORTION]):
        PhotoTag.objects.filter(pk__in=portion).delete()


def forget_tables() -> None:
    """After a restore: tables do not go into backups. The active version has the first one, others
    get theirs when they are made ready."""
    tables = connection.introspection.table_names()
    for table in (each for each in tables if re.fullmatch(rf"{fulltext.TABLE}_\d+", each)):
        fulltext.drop_table(connection, table)
    if fulltext.TABLE not in tables:
        fulltext.create_table(connection)
    ModelVersion.objects.update(texts="", told_until=0, is_ready=False)
    ModelVersion.objects.filter(is_active=True).update(texts=fulltext.TABLE, is_ready=True)
