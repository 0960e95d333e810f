"""The index of a process follows the database, whatever happens to either."""

import threading
import time

import numpy as np
import pytest
from django.db import OperationalError, connection

from search.index.manifest import MANIFEST
from tests.factories import a_photo, a_sight, a_user, an_embedding
from webapp.accounts.models import User
from webapp.find.index import engine
from webapp.find.index.building import (
    build_index,
    index_folder,
    index_store,
    needs_base,
    undo_index,
)
from webapp.library.models import ChangeCounter, Photo
from webapp.library.services.trash import delete_photos, restore_photos, trash_photos
from webapp.teach.models import ModelVersion
from webapp.teach.services import active_version
from workers.housekeeping import forget_deleted

pytestmark = pytest.mark.django_db


def a_seen_photo(owner: User, seed: int) -> Photo:
    photo = a_photo(owner, with_thumbnails=False)
    a_sight(photo, embedding=an_embedding(seed))
    return photo


def nearest(user: User, seed: int) -> int | None:
    """The user's photo that looks just like embedding `seed`, if there is one."""
    view = engine.open_view(user)
    scores, ids = view.index.search(an_embedding(seed), 1, view.photos)
    return int(ids[0, 0]) if scores[0, 0] > 0.99 else None


@pytest.fixture(params=["no base", "base"])
def with_base(request: pytest.FixtureRequest) -> bool:
    return request.param == "base"


def test_a_photo_is_searchable_with_the_next_search(with_base: bool) -> None:
    owner = a_user()
    first = a_seen_photo(owner, 1)
    if with_base:
        build_index(active_version())
    assert nearest(owner, 1) == first.pk

    second = a_seen_photo(owner, 2)

    assert nearest(owner, 2) == second.pk
    assert nearest(owner, 1) == first.pk


def test_a_photo_seen_anew_is_found_only_as_it_was_seen_last(with_base: bool) -> None:
    owner = a_user()
    photo = a_seen_photo(owner, 1)
    if with_base:
        build_index(active_version())
    assert nearest(owner, 1) == photo.pk

    a_sight(photo, embedding=an_embedding(2))

    assert (nearest(owner, 1), nearest(owner, 2)) == (None, photo.pk)


def test_trash_restore_and_deletion_take_effect_at_once(with_base: bool) -> None:
    owner = a_user()
    photo = a_seen_photo(owner, 1)
    if with_base:
        build_index(active_version())
    mine = Photo.objects.filter(pk=photo.pk)
    assert nearest(owner, 1) == photo.pk

    trash_photos(mine)
    assert nearest(owner, 1) is None
    restore_photos(mine)
    assert nearest(owner, 1) == photo.pk
    trash_photos(mine)
    delete_photos(mine)
    assert nearest(owner, 1) is None


def test_nobody_finds_another_s_photo(with_base: bool) -> None:
    owner, stranger = a_user(), a_user()
    theirs, mine = a_seen_photo(owner, 1), a_seen_photo(stranger, 1)
    if with_base:
        build_index(active_version())

    assert (nearest(owner, 1), nearest(stranger, 1)) == (theirs.pk, mine.pk)
    assert nearest(a_user(), 1) is None


def test_a_base_made_by_a_worker_is_taken_up_without_a_restart() -> None:
    owner = a_user()
    photos = [a_seen_photo(owner, seed) for seed in range(3)]
    assert nearest(owner, 1) == photos[1].pk
    assert engine.open_view(owner).index.delta_rows == 3

    build_index(active_version())

    assert nearest(owner, 1) == photos[1].pk
    assert engine.open_view(owner).index.delta_rows == 0


def test_what_changed_while_the_base_was_made_is_found_as_it_is() -> None:
    owner = a_user()
    first, second = a_seen_photo(owner, 1), a_seen_photo(owner, 2)
    build_index(active_version())
    trash_photos(Photo.objects.filter(pk=first.pk))
    a_sight(second, embedding=an_embedding(3))

    assert (nearest(owner, 1), nearest(owner, 2), nearest(owner, 3)) == (None, None, second.pk)


def test_a_damaged_base_is_set_aside_and_search_goes_on(
    django_capture_on_commit_callbacks: object,
) -> None:
    owner = a_user()
    photo = a_seen_photo(owner, 1)
    build_index(active_version())
    (damaged,) = index_folder(active_version()).glob("base-*/index.faiss")
    damaged.write_bytes(damaged.read_bytes()[:-1])

    assert nearest(owner, 1) == photo.pk
    assert (index_folder(active_version()) / "manifest.json.damaged").exists()
    build_index(active_version())
    assert nearest(owner, 1) == photo.pk
    assert engine.open_view(owner).index.base is not None


def test_damage_behind_the_head_is_noticed_soon_and_the_base_before_serves() -> None:
    """Only then: nothing waits for a million vectors to be read."""
    owner = a_user()
    first = a_seen_photo(owner, 1)
    build_index(active_version())
    second = a_seen_photo(owner, 2)
    build_index(active_version())
    store = index_store(active_version())
    damaged = index_folder(active_version()) / store.manifest().base / "vectors.bin"
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)

    engine.open_view(owner)
    deadline = time.monotonic() + 20
    while not (index_folder(active_version()) / "manifest.json.damaged").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)

    assert (nearest(owner, 1), nearest(owner, 2)) == (first.pk, second.pk)
    assert engine.open_view(owner).index.base.manifest.count == 1


def test_a_switch_that_is_undone_is_followed() -> None:
    owner = a_user()
    photos = [a_seen_photo(owner, 1), a_seen_photo(owner, 2)]
    build_index(active_version())
    trash_photos(Photo.objects.filter(pk=photos[0].pk))
    delete_photos(Photo.objects.filter(pk=photos[0].pk))
    photos.append(a_seen_photo(owner, 3))
    build_index(active_version())
    forget_deleted()
    assert nearest(owner, 3) == photos[2].pk

    assert undo_index(active_version()).count == 2

    assert [nearest(owner, seed) for seed in (1, 2, 3)] == [None, photos[1].pk, photos[2].pk]
    assert engine.open_view(owner).index.base.manifest.count == 2


def test_weights_replaced_under_the_same_name_get_an_index_of_their_own() -> None:
    owner = a_user()
    photo = a_seen_photo(owner, 1)
    ModelVersion.objects.update(digest="a" * 64)
    build_index(active_version())
    assert engine.open_view(owner).index.base is not None
    engine.close()
    ModelVersion.objects.update(digest="b" * 64)

    assert engine.open_view(owner).index.base is None
    assert nearest(owner, 1) == photo.pk


def test_a_base_newer_than_the_database_is_not_used() -> None:
    """The database was restored from a backup, the index was not."""
    owner = a_user()
    for seed in (1, 2):
        a_seen_photo(owner, seed)
    build_index(active_version())
    Photo.objects.all().delete()
    ChangeCounter.objects.update(value=0)
    photo = a_seen_photo(owner, 3)

    assert (nearest(owner, 1), nearest(owner, 3)) == (None, photo.pk)


def test_versions_never_meet() -> None:
    owner = a_user()
    photo = a_seen_photo(owner, 1)
    build_index(active_version())
    assert nearest(owner, 1) == photo.pk
    ModelVersion.objects.update(is_active=False)
    ModelVersion.objects.create(name="another", is_active=True)

    assert nearest(owner, 1) is None
    a_sight(photo, embedding=an_embedding(2))
    assert (nearest(owner, 1), nearest(owner, 2)) == (None, photo.pk)


def test_a_base_is_wanted_when_much_changed(settings: object) -> None:
    settings.MAREA_INDEX_DELTA = 2
    owner = a_user()
    for seed in range(3):
        a_seen_photo(owner, seed)
    assert needs_base(active_version())
    build_index(active_version())
    assert not needs_base(active_version())


def test_following_costs_as_many_queries_for_many_photos_as_for_few(
    django_assert_num_queries: object,
) -> None:
    owner = a_user()
    a_seen_photo(owner, 0)
    engine.open_view(owner)
    with django_assert_num_queries(2):  # the active version, the newest change
        engine.open_view(owner)
    for count in (1, 6):
        for seed in range(count):
            a_seen_photo(owner, seed)
        with django_assert_num_queries(5):  # and deleted photos, changed photos, their sights
            engine.open_view(owner)


@pytest.mark.django_db(transaction=True)
def test_threads_search_while_photos_arrive() -> None:
    owner = a_user()
    photo = a_seen_photo(owner, 1)
    wrong: list[object] = []
    done = threading.Event()

    def search() -> None:
        try:
            while not done.is_set():
                if nearest(owner, 1) != photo.pk:
                    wrong.append("lost")
        except Exception as error:
            wrong.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for seed in range(2, 12):
        a_seen_photo(owner, seed)
    build_index(active_version())
    arrived = nearest(owner, 11)
    done.set()
    for thread in threads:
        thread.join()

    assert not wrong
    assert arrived is not None


def test_an_embedding_of_the_wrong_size_spoils_nothing() -> None:
    owner = a_user()
    first, second = a_seen_photo(owner, 1), a_seen_photo(owner, 2)
    first.sights.update(embedding=np.zeros(3, "<f2").tobytes())

    assert (nearest(owner, 1), nearest(owner, 2)) == (None, second.pk)


def test_a_start_that_was_interrupted_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = a_user()
    a_seen_photo(owner, 1)
    build_index(active_version())
    manifest = index_folder(active_version()) / MANIFEST
    manifest.rename(manifest.with_suffix(".later"))
    second = a_seen_photo(owner, 2)  # while the base is being made
    assert nearest(owner, 2) == second.pk
    manifest.with_suffix(".later").rename(manifest)
    with monkeypatch.context() as patched:
        patched.setattr("webapp.find.index.feed.changes_after", _fail)
        with pytest.raises(OperationalError):
            engine.open_view(owner)  # opens the new base

    assert nearest(owner, 2) == second.pk


def _fail(*_: object) -> None:
    raise OperationalError("the database went away")
