"""Stacks as the worker makes them: from thumbnails, embeddings and times, whoever came first."""

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from PIL import Image

from tests.factories import a_photo, a_sight, a_user, an_embedding
from tests.webapp.stacks import drawings
from webapp.accounts.models import User
from webapp.library.models import Photo
from webapp.library.services.thumbnails import delete_thumbnails
from webapp.library.services.trash import delete_photos, restore_photos, trash_photos
from webapp.library.storage import originals
from webapp.stacks.models import Print, Stack, StackMember
from webapp.stacks.services import take_apart
from webapp.teach.models import ModelVersion, Sight
from webapp.teach.services import active_version
from workers import queue, stacking, tasks

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

_qualities = itertools.count(40)  # the same picture in another file each time


@pytest.fixture
def ana() -> User:
    return a_user("ana")


def a_picture(owner: User, scene: Image.Image, *, seed: int = 1, **fields: object) -> Photo:
    """A photo of `scene` that was looked at; what has the same `seed` looks the same."""
    data = drawings.jpeg(scene, comment=str(next(_qualities)).encode())
    size = {"width": scene.width, "height": scene.height}
    photo = a_photo(owner, data=data, with_thumbnails=False, **(size | fields))
    a_sight(photo, embedding=an_embedding(seed=seed))
    return photo


def follow() -> int:
    return stacking.follow(seconds=60, stopping=lambda: False)


def stacks() -> list[list[int]]:
    """The photos of each stack, best first."""
    return [
        list(stack.members.order_by("place").values_list("photo", flat=True))
        for stack in Stack.objects.order_by("pk")
    ]


def test_copies_fold_and_the_largest_is_the_best(ana: User) -> None:
    scene = drawings.a_scene(1)
    small = a_picture(ana, drawings.smaller(scene))
    whole = a_picture(ana, scene)
    a_picture(ana, drawings.a_scene(2))
    a_picture(ana, drawings.a_scene(3), seed=3)
    assert follow() == 4
    assert stacks() == [[whole.pk, small.pk]]


def test_photos_that_arrive_join_what_is_there(ana: User) -> None:
    scene = drawings.a_scene(1)
    first = a_picture(ana, scene)
    follow()
    second = a_picture(ana, scene, is_favourite=True)
    assert follow() == 1  # what is done is not gone through again
    third = a_picture(ana, scene)
    follow()
    assert stacks() == [[second.pk, first.pk, third.pk]]


def test_following_twice_changes_nothing(ana: User) -> None:
    for seed in (1, 1, 2, 2):
        a_picture(ana, drawings.a_scene(seed), seed=seed)
    follow()
    before = stacks()
    assert len(before) == 2
    assert follow() == 0
    stacking.building.StackProgress.objects.update(change_number=0, photo_id=0)
    assert follow() == 4
    assert stacks() == before


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_two_stacks_meet_in_a_photo_that_belongs_to_both(ana: User, order: Iterable[int]) -> None:
    """Two crops that share too little are joined by the picture both were cut from."""
    scene = drawings.a_scene(1)
    width, height = scene.size
    left = scene.crop((0, 0, width * 3 // 4, height))
    right = scene.crop((width // 4, 0, width, height))
    pictures = [left, right, scene]
    for number in order:
        a_picture(ana, pictures[number])
        follow()
    assert [len(members) for members in stacks()] == [3]


def test_the_same_picture_of_two_people_is_no_stack(ana: User) -> None:
    scene = drawings.a_scene(1)
    for owner in (ana, a_user("bob")):
        a_picture(owner, scene)
    follow()
    assert stacks() == []


def test_a_burst_folds_and_a_later_photo_of_the_place_does_not(ana: User) -> None:
    scene, noon = drawings.a_scene(5), datetime(2024, 6, 1, 12, tzinfo=UTC)
    seen = [0, 2, 4, 600]
    photos = []
    for number, seconds in enumerate(seen):
        frame = scene.copy()
        frame.paste(drawings.a_scene(50 + number).crop((0, 0, 170, 280)), (60 + 70 * number, 40))
        moment = noon + timedelta(seconds=seconds)
        photos.append(a_picture(ana, frame, taken_at=moment, camera="Canon"))
    follow()
    assert [set(members) for members in stacks()] == [{photo.pk for photo in photos[:3]}]
    assert set(StackMember.objects.values_list("kind", flat=True)) == {"burst"}


def test_trashed_photos_join_when_they_come_back(ana: User) -> None:
    scene = drawings.a_scene(1)
    first, second = a_picture(ana, scene), a_picture(ana, scene)
    trash_photos(Photo.objects.filter(pk=second.pk))
    follow()
    assert stacks() == []
    restore_photos(Photo.objects.filter(pk=second.pk))
    follow()
    assert stacks() == [[first.pk, second.pk]]


def test_deleted_photos_leave_their_stack(ana: User) -> None:
    scene = drawings.a_scene(1)
    photos = [a_picture(ana, scene) for _ in range(3)]
    follow()
    trash_photos(Photo.objects.filter(pk=photos[0].pk))
    delete_photos(Photo.objects.filter(pk=photos[0].pk))
    assert stacks() == [[photo.pk for photo in photos[1:]]]
    assert Print.objects.count() == 2


def test_what_a_person_took_apart_stays_apart(ana: User) -> None:
    scene = drawings.a_scene(1)
    for _ in range(2):
        a_picture(ana, scene)
    follow()
    take_apart(ana, Stack.objects.get().pk)
    a_picture(ana, scene)
    follow()
    assert stacks() == []


def test_another_version_makes_the_stacks_anew_from_the_same_prints(ana: User) -> None:
    scene = drawings.a_scene(1)
    photos = [a_picture(ana, scene) for _ in range(2)]
    follow()
    old = Stack.objects.get().pk
    version = ModelVersion.objects.create(name="other", folder=active_version().folder)
    for number, photo in enumerate(photos):  # which sees nothing in common
        embedding = an_embedding(seed=70 + number).astype("<f2").tobytes()
        Sight.objects.create(photo=photo, version=version, embedding=embedding)
        delete_thumbnails(photo.sha256)
        originals().delete(photo.original_name)
    ModelVersion.objects.update(is_active=False)
    ModelVersion.objects.filter(pk=version.pk).update(is_active=True)

    assert stacking.is_behind()
    assert follow() == 2
    assert not Stack.objects.exists()
    assert Print.objects.count() == 2
    assert not stacking.is_behind()
    assert old


def test_a_file_that_is_gone_holds_up_nobody(ana: User) -> None:
    scene = drawings.a_scene(1)
    lost = a_picture(ana, scene)
    originals().delete(lost.original_name)
    first, second = a_picture(ana, scene), a_picture(ana, scene)
    follow()
    assert stacks() == [[first.pk, second.pk]]


def test_a_damaged_embedding_holds_up_nobody(ana: User) -> None:
    scene = drawings.a_scene(1)
    photos = [a_picture(ana, scene) for _ in range(3)]
    Sight.objects.filter(photo=photos[0]).update(embedding=b"short")
    follow()
    assert stacks() == [[photo.pk for photo in photos[1:]]]


def test_the_sweeper_sends_for_stacks_only_when_photos_changed(ana: User) -> None:
    a_picture(ana, drawings.a_scene(1))
    tasks.stack_photos()
    queue.redis().flushall()
    tasks.sweep()
    assert queue.redis().exists("marea:on-its-way:" + queue.STACK_PHOTOS) == 0
    a_picture(ana, drawings.a_scene(2))
    tasks.sweep()
    assert queue.redis().exists("marea:on-its-way:" + queue.STACK_PHOTOS) == 1


def test_a_worker_that_is_stopped_goes_on_later(ana: User) -> None:
    scene = drawings.a_scene(1)
    for _ in range(2):
        a_picture(ana, scene)
    stopping = iter([False, True, True])
    stacking.BATCH, batch = 1, stacking.BATCH
    try:
        assert stacking.follow(seconds=60, stopping=lambda: next(stopping)) == 1
        assert follow() == 1
    finally:
        stacking.BATCH = batch
    assert np.shape(stacks()) == (1, 2)
