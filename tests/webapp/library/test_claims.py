"""Claims: no photo is lost, none is worked on by two, none is tried for ever."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import a_photo, a_user
from webapp.library.models import Photo
from webapp.library.services import claims

pytestmark = pytest.mark.django_db


def waiting(count: int) -> list[Photo]:
    user = a_user()
    return [a_photo(user, state=Photo.State.WAITING, with_thumbnails=False) for _ in range(count)]


def let_leases_run_out() -> None:
    Photo.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


def test_two_workers_never_hold_the_same_photo():
    photos = waiting(5)

    first = claims.claim_batch("one", size=3)
    second = claims.claim_batch("two", size=3)

    assert [photo.pk for photo in first] == [photo.pk for photo in photos[:3]]
    assert [photo.pk for photo in second] == [photo.pk for photo in photos[3:]]
    assert claims.claim_batch("three", size=3) == []


def test_a_dead_workers_photos_are_claimed_again_one_by_one():
    waiting(3)
    claims.claim_batch("dead", size=3)
    let_leases_run_out()

    assert len(claims.claim_batch("alive", size=3)) == 1
    assert len(claims.claim_batch("alive", size=3)) == 1


def test_new_photos_go_before_those_that_were_tried():
    waiting(1)
    claims.claim_batch("dead", size=1)
    let_leases_run_out()
    new = waiting(2)

    assert claims.claim_batch("alive", size=3) == new


def test_a_photo_that_kills_its_worker_is_set_aside_after_three_attempts(settings):
    settings.MAREA_MAX_ATTEMPTS = 3
    (photo,) = waiting(1)
    for attempt in range(3):
        assert claims.claim_batch(f"worker {attempt}", size=1) == [photo]
        let_leases_run_out()

    assert claims.claim_batch("another", size=1) == []

    photo.refresh_from_db()
    assert photo.state == Photo.State.FAILED
    assert "ended the worker" in photo.error


def test_a_retry_starts_from_the_first_attempt():
    (photo,) = waiting(1)
    claims.claim_batch("worker", size=1)
    claims.set_aside("worker", photo, "The file is damaged.")

    assert claims.retry(Photo.objects.filter(pk=photo.pk)) == 1

    (again,) = claims.claim_batch("worker", size=1)
    assert (again.attempts, again.error) == (1, "")


def test_a_passing_failure_is_tried_again_and_keeps_its_reason(settings):
    settings.MAREA_MAX_ATTEMPTS = 2
    waiting(1)

    (photo,) = claims.claim_batch("worker", size=1)
    claims.try_again_later("worker", photo, "The machine was busy.")
    assert claims.claim_batch("worker", size=1) == []  # what was wrong needs time to pass
    let_leases_run_out()
    (photo,) = claims.claim_batch("worker", size=1)
    claims.try_again_later("worker", photo, "The machine was busy.")

    photo.refresh_from_db()
    assert (photo.state, photo.error) == (Photo.State.FAILED, "The machine was busy.")


def test_a_released_photo_has_not_used_an_attempt():
    (photo,) = waiting(1)
    claims.claim_batch("worker", size=1)

    claims.release("worker")

    photo.refresh_from_db()
    assert (photo.attempts, photo.lease_until) == (0, None)


def test_a_worker_whose_lease_was_taken_over_holds_nothing():
    photos = waiting(1)
    claims.claim_batch("slow", size=1)
    let_leases_run_out()
    claims.claim_batch("quick", size=1)

    assert claims.still_held("slow", photos) == set()
    claims.set_aside("slow", photos[0], "too late")

    photos[0].refresh_from_db()
    assert photos[0].state == Photo.State.WAITING
