"""Claims: every photo has at most one holder, and none is lost with its holder."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from tests.factories import a_photo, a_user, an_embedding
from vision.sight import Sight
from webapp.library.models import Photo
from webapp.library.services import claims
from webapp.teach.models import Sight as StoredSight
from webapp.teach.services import active_version, store_sights

pytestmark = pytest.mark.django_db


def waiting_photos(count: int, **fields: object) -> list[Photo]:
    owner = a_user()
    fields = {"state": Photo.State.WAITING, "with_thumbnails": False} | fields
    return [a_photo(owner, **fields) for _ in range(count)]


def let_leases_run_out() -> None:
    past = timezone.now() - timedelta(seconds=1)
    Photo.objects.exclude(lease_until=None).update(lease_until=past)


def test_a_batch_is_the_oldest_photos_and_counts_an_attempt() -> None:
    photos = waiting_photos(3)

    batch = claims.claim_batch("one", size=2)

    assert batch == photos[:2]
    assert [(photo.holder, photo.attempts) for photo in batch] == [("one", 1)] * 2


def test_what_one_holds_no_other_gets() -> None:
    waiting_photos(3)

    first = claims.claim_batch("one", size=2)
    second = claims.claim_batch("two", size=2)

    assert not {photo.pk for photo in first} & {photo.pk for photo in second}
    assert claims.claim_batch("three", size=2) == []


@pytest.mark.django_db(transaction=True)
def test_workers_that_claim_at_the_same_time_never_share_a_photo() -> None:
    waiting_photos(24)

    def claim_all(holder: str) -> list[int]:
        claimed = []
        try:
            while batch := claims.claim_batch(holder, size=3):
                claimed += [photo.pk for photo in batch]
        finally:
            connection.close()
        return claimed

    with ThreadPoolExecutor(3) as workers:
        batches = workers.map(claim_all, ("one", "two", "three"))
        claimed = [pk for batch in batches for pk in batch]

    assert sorted(claimed) == sorted(Photo.objects.values_list("pk", flat=True))


def test_a_lease_that_ran_out_frees_the_photos_one_at_a_time() -> None:
    photos = waiting_photos(3)
    claims.claim_batch("dead", size=3)
    let_leases_run_out()

    batches = [claims.claim_batch("alive", size=3) for _ in range(3)]

    assert batches == [[photo] for photo in photos]
    assert {batch[0].attempts for batch in batches} == {2}


def test_untried_photos_come_before_tried_ones() -> None:
    tried = waiting_photos(1, attempts=1)[0]
    fresh = waiting_photos(1)[0]

    assert claims.claim_batch("one", size=5, fresh_only=True) == [fresh]
    assert claims.claim_batch("one", size=5, fresh_only=True) == []
    assert claims.claim_batch("one", size=5) == [tried]


def test_a_photo_whose_worker_always_dies_is_set_aside_with_a_reason() -> None:
    [photo] = waiting_photos(1)

    for _ in range(settings.MAREA_MAX_ATTEMPTS):
        assert claims.claim_batch("dies", size=5) == [photo]
        let_leases_run_out()

    assert claims.claim_batch("dies", size=5) == []
    photo.refresh_from_db()
    assert photo.state == Photo.State.FAILED
    assert "the original is safe" in photo.error


def test_renewing_keeps_others_away() -> None:
    waiting_photos(2)
    claims.claim_batch("slow", size=2)
    let_leases_run_out()

    claims.renew("slow")

    assert claims.claim_batch("eager", size=2) == []


def test_releasing_gives_the_attempt_back() -> None:
    photos = waiting_photos(2)
    claims.claim_batch("stops", size=2)

    assert claims.release("stops") == 2

    assert claims.claim_batch("next", size=2) == photos
    assert set(Photo.objects.values_list("attempts", flat=True)) == {1}


def test_a_failed_attempt_is_repeated_later_and_the_last_one_sets_aside() -> None:
    [photo] = waiting_photos(1)

    for _ in range(settings.MAREA_MAX_ATTEMPTS):
        [claimed] = claims.claim_batch("one", size=1)
        claims.try_again_later("one", claimed, "It failed.")
        assert claims.claim_batch("two", size=1) == []
        let_leases_run_out()

    photo.refresh_from_db()
    assert (photo.state, photo.error) == (Photo.State.FAILED, "It failed.")


def test_a_person_can_have_it_tried_again() -> None:
    [photo] = waiting_photos(1, state=Photo.State.FAILED, attempts=3, error="It failed.")

    assert claims.retry(Photo.objects.visible_to(photo.owner)) == 1

    assert claims.claim_batch("one", size=1) == [photo]


def test_results_of_a_lost_lease_are_not_stored() -> None:
    waiting_photos(1)
    [slow] = claims.claim_batch("slow", size=1)
    let_leases_run_out()
    [fast] = claims.claim_batch("fast", size=1)
    version = active_version()

    def see(holder: str, photo: Photo, caption: str) -> int:
        sight = Sight(an_embedding(), [], caption, 0.5)
        return store_sights(holder, version, [(photo, sight)], {})

    assert see("fast", fast, "first") == 1
    assert see("slow", slow, "second") == 0
    assert [sight.caption for sight in StoredSight.objects.all()] == ["first"]
