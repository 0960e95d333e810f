"""The processing page: counts, pace, failures, and whose they are."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from tests.factories import a_photo, a_sight, a_user, an_administrator
from webapp.accounts.models import User
from webapp.library.models import Photo, Worker
from webapp.library.services.processing import pace, progress_of
from webapp.library.services.trash import trash_photos
from webapp.library.views.processing import duties, headline

pytestmark = pytest.mark.django_db
WAITING, READY, FAILED = Photo.State.WAITING, Photo.State.READY, Photo.State.FAILED


@pytest.fixture
def owner() -> User:
    return a_user()


@pytest.fixture
def client(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def a_worker(name: str = "look@attic", *, seen_ago_s: float = 3) -> Worker:
    seen_at = timezone.now() - timedelta(seconds=seen_ago_s)
    return Worker.objects.create(
        name=name, queues="look", pid=1, started_at=seen_at, seen_at=seen_at, memory_mb=812
    )


def test_photos_are_counted_by_how_far_they_are(owner: User) -> None:
    lease = timezone.now() + timedelta(seconds=60)
    a_photo(owner, state=WAITING)
    a_photo(owner, state=WAITING, holder="gone", lease_until=timezone.now() - timedelta(seconds=1))
    a_photo(owner, state=WAITING, holder="here", lease_until=lease)
    a_photo(owner, state=READY)
    a_photo(owner, state=FAILED)
    a_photo(owner, state=FAILED, trashed_at=timezone.now())
    a_photo(a_user(), state=WAITING)

    progress = progress_of(owner)
    assert (progress.waiting, progress.looking) == (2, 1)
    assert (progress.ready, progress.failed) == (1, 1)
    assert (progress.total, progress.unfinished, progress.finished) == (5, 3, 2)


def test_photos_of_a_worker_that_stopped_are_told(client: Client, owner: User) -> None:
    lease = timezone.now() + timedelta(seconds=80)
    a_photo(owner, state=WAITING, holder="here", lease_until=lease)
    assert progress_of(owner).stalled == 0
    assert "has stopped" not in client.get("/processing/").content.decode()
    a_photo(owner, state=WAITING, holder="gone", lease_until=lease - timedelta(seconds=60))
    page = client.get("/processing/").content.decode()
    assert "The worker that had 1 photo in hand has stopped. Nothing is lost" in page


def test_a_worker_is_present_until_it_missed_several_reports() -> None:
    here, _ = a_worker(), a_worker("late@attic", seen_ago_s=60)
    gone = a_worker("gone@attic", seen_ago_s=600)
    assert list(Worker.objects.present()) == [here]
    assert list(Worker.objects.forgotten()) == [gone]


def test_the_pace_is_that_of_recent_sights_after_the_first_batch() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    batches = [start + timedelta(seconds=second) for second in (0, 10, 20) for _ in range(16)]
    assert pace(batches) == pytest.approx(32 / 20)
    assert pace(batches[:16]) is None
    assert pace([]) is None


def test_time_left_follows_from_the_users_own_sights(owner: User) -> None:
    for seconds_ago in (40, 20):
        for photo in (a_photo(owner), a_photo(owner), a_photo(a_user())):
            a_sight(photo)
            photo.sights.update(created_at=timezone.now() - timedelta(seconds=seconds_ago))
    for _ in range(12):
        a_photo(owner, state=WAITING)
    progress = progress_of(owner)
    assert progress.photos_per_s == pytest.approx(0.1, rel=0.05)
    assert progress.left_s == pytest.approx(120, rel=0.05)
    assert headline(progress) == "Looking at your photos: about 2 minutes left"


def test_the_page_shows_figures_and_failures_of_the_user_alone(client: Client, owner: User) -> None:
    a_photo(owner, state=FAILED, file_name="<b>mine</b>.jpg", error="The file is cut off.")
    a_photo(a_user(), state=FAILED, file_name="theirs.jpg")
    page = client.get("/processing/").content.decode()
    assert "&lt;b&gt;mine&lt;/b&gt;.jpg" in page
    assert "The file is cut off." in page
    assert "theirs.jpg" not in page
    assert "1 photo set aside" in page


def test_only_staff_sees_the_workers(client: Client) -> None:
    a_worker()
    a_worker("look@cellar", seen_ago_s=3600)
    assert "look@attic" not in client.get("/processing/").content.decode()
    staff = Client()
    staff.force_login(an_administrator())
    page = staff.get("/processing/").content.decode()
    assert "look@attic" in page
    assert "looks at photos" in page
    assert "812 MB" in page
    assert "look@cellar" not in page


def test_what_a_worker_does_is_said_in_words() -> None:
    assert duties("housekeeping,models") == "trains and switches models, tidies up"
    assert duties("look,of_tomorrow") == "looks at photos, of_tomorrow"


def test_the_polled_part_tells_when_failures_changed(client: Client, owner: User) -> None:
    a_photo(owner, state=FAILED)
    headers = {"HX-Request": "true"}
    same = client.get("/processing/", {"failed": 1}, headers=headers)
    assert "HX-Trigger" not in same
    assert "<html" not in same.content.decode()
    changed = client.get("/processing/", {"failed": 0}, headers=headers)
    assert changed["HX-Trigger"] == "failures-changed"
    assert "1 photo set aside" in client.get("/processing/failures").content.decode()


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_one_failure_or_all_can_be_tried_again(
    client: Client, owner: User, headers: dict[str, str]
) -> None:
    first, second = (a_photo(owner, state=FAILED, attempts=3, error="No.") for _ in range(2))
    response = client.post("/processing/retry", {"photo": first.pk}, headers=headers)
    assert response.status_code == (200 if headers else 302)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.attempts, first.error) == (WAITING, 0, "")
    assert second.state == FAILED

    client.post("/processing/retry", headers=headers)
    second.refresh_from_db()
    assert second.state == WAITING


@pytest.mark.parametrize("photo", ["0", "-1", "x", "²", "9" * 40, "9" * 5000])
def test_trying_strangers_or_nonsense_again_changes_nothing(
    client: Client, owner: User, photo: str
) -> None:
    mine, theirs = a_photo(owner, state=FAILED), a_photo(a_user(), state=FAILED)
    for chosen in (photo, str(theirs.pk)):
        assert client.post("/processing/retry", {"photo": chosen}).status_code == 302
    assert not Photo.objects.filter(pk__in=[mine.pk, theirs.pk], state=WAITING).exists()


def test_the_page_costs_as_many_queries_for_many_photos_as_for_few(
    client: Client, owner: User
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get("/processing/")
        return len(captured)

    for state in (WAITING, FAILED):
        a_photo(owner, state=state)
    a_sight(a_photo(owner))
    few = queries()
    for _ in range(10):
        a_photo(owner, state=FAILED, with_thumbnails=False)
        a_sight(a_photo(owner, with_thumbnails=False))
    assert queries() == few


def test_photos_in_the_trash_are_no_failures(client: Client, owner: User) -> None:
    photo = a_photo(owner, state=FAILED)
    trash_photos(Photo.objects.filter(pk=photo.pk))
    page = client.get(reverse("library:processing")).content.decode()
    assert "There are no photos yet" in page


def test_the_page_and_programs_learn_in_how_many_photos_text_is_still_to_be_read(
    client: Client, owner: User, settings: Settings
) -> None:
    client.force_login(owner)
    a_photo(owner)
    a_photo(a_user())
    page = client.get(reverse("library:processing")).content.decode()
    assert "Text is still to be read in 1 photo." in page
    assert client.get("/api/v1/jobs").json()["unread"] == 1

    settings.MAREA_OCR = False
    assert "still to be read" not in client.get(reverse("library:processing")).content.decode()
    assert client.get("/api/v1/jobs").json()["unread"] == 0
