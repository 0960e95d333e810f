"""Tasks are called directly, and twice: signals may come twice."""

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone
from pytest_django import Settings

from tests.factories import a_photo, a_sight, a_user, an_embedding
from webapp.find.index.building import index_folder
from webapp.library.models import DeletedPhoto, Photo, Worker
from webapp.library.services.thumbnails import has_thumbnails
from webapp.library.services.trash import delete_photos, trash_photos
from webapp.teach.models import PhotoTag, Sight
from webapp.teach.services import active_version
from webapp.teach.taught import teaching, using
from workers import queue, tasks

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def signals_in(name: str) -> int:
    """Messages that lie in a queue."""
    return int(queue.redis().llen(name))


def test_thousands_of_uploads_send_one_signal() -> None:
    for _ in range(1000):
        queue.there_is_work()

    assert signals_in("look") == 1


def test_a_signal_that_has_arrived_does_not_hold_up_the_next() -> None:
    queue.there_is_work()
    queue.arrived(queue.LOOK)
    queue.there_is_work()

    assert signals_in("look") == 2


def test_signals_arrive_in_a_flushed_redis() -> None:
    queue.there_is_work()
    queue.redis().flushall()
    queue.there_is_work()

    assert signals_in("look") == 1


def test_a_signal_without_redis_is_lost_and_nothing_else(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock"
    queue.redis.cache_clear()
    try:
        queue.there_is_work()
    finally:
        queue.redis.cache_clear()

    assert "signal_lost task=workers.tasks.look_at_photos" in caplog.text


def test_look_at_photos_twice() -> None:
    photo = a_photo(a_user(), state=Photo.State.WAITING, with_thumbnails=False)

    tasks.look_at_photos()
    tasks.look_at_photos()

    photo.refresh_from_db()
    assert (photo.state, photo.attempts) == (Photo.State.READY, 1)
    assert Sight.objects.count() == 1
    assert signals_in("look") == 0


def test_remake_thumbnails_twice() -> None:
    owner = a_user()
    lost = a_photo(owner, with_thumbnails=False)
    damaged = a_photo(owner, with_thumbnails=False, data=b"no photo")

    for _ in range(2):
        tasks.remake_thumbnails([lost.pk, damaged.pk, 10**6])

    assert has_thumbnails(lost.sha256)
    assert not has_thumbnails(damaged.sha256)


def test_sweep_sends_a_signal_for_photos_that_wait_and_only_for_them() -> None:
    tasks.sweep()
    assert signals_in("look") == 0
    a_photo(a_user(), state=Photo.State.WAITING)

    tasks.sweep()
    tasks.sweep()

    assert signals_in("look") == 1


def test_sweep_asks_for_a_new_base_when_the_index_has_fallen_behind(
    settings: Settings,
) -> None:
    settings.MAREA_INDEX_DELTA = 1
    owner = a_user()
    for _ in range(2):
        a_sight(a_photo(owner))
    tasks.stack_photos()  # whose signal would lie there as well
    tasks.sweep()
    assert signals_in("housekeeping") == 1

    tasks.build_index()
    tasks.build_index()
    queue.redis().flushall()
    tasks.sweep()

    assert signals_in("housekeeping") == 0
    assert (index_folder(active_version()) / "manifest.json").exists()


def test_taught_tags_are_told_to_the_whole_library(monkeypatch: pytest.MonkeyPatch) -> None:
    owner, miso = a_user(), an_embedding(seed=1)
    for number in range(17):
        vector = miso + 0.3 * an_embedding() if number < 7 else an_embedding()
        a_sight(a_photo(owner), embedding=vector / np.linalg.norm(vector))
    first = Photo.objects.filter(pk__in=Photo.objects.order_by("pk").values("pk")[:5])
    monkeypatch.setattr(using, "AT_ONCE_S", 0.0)
    tasks.stack_photos()
    assert not using.switch_on(teaching.begin(owner, "miso", first))
    queue.redis().flushall()
    tasks.stack_photos()
    tasks.sweep()
    assert signals_in("housekeeping") == 1

    tasks.tell_taught_tags()
    tasks.tell_taught_tags()
    queue.redis().flushall()
    tasks.stack_photos()
    tasks.sweep()

    assert PhotoTag.objects.shown().filter(tag__name="miso").count() == 7
    assert signals_in("housekeeping") == 0


def test_tidy_empties_old_trash_and_forgets_silent_workers() -> None:
    owner = a_user()
    old, new = a_photo(owner), a_photo(owner)
    trash_photos(Photo.objects.visible_to(owner))
    Photo.objects.filter(pk=old.pk).update(trashed_at=timezone.now() - timedelta(days=31))
    long_ago = timezone.now() - timedelta(hours=1)
    Worker.objects.create(name="gone", queues="look", pid=1, started_at=long_ago, seen_at=long_ago)

    tasks.tidy()
    tasks.tidy()

    assert list(Photo.objects.values_list("pk", flat=True)) == [new.pk]
    assert not Worker.objects.exists()


def test_tidy_forgets_deletions_that_the_index_base_knows_of() -> None:
    owner = a_user()
    before, after = a_photo(owner), a_photo(owner)
    trash_photos(Photo.objects.visible_to(owner))
    delete_photos(Photo.objects.filter(pk=before.pk))
    tasks.build_index()
    delete_photos(Photo.objects.filter(pk=after.pk))

    tasks.tidy()

    assert list(DeletedPhoto.objects.values_list("pk", flat=True)) == [after.pk]
