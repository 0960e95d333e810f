"""Searching by a picture that is in no library: taken in, kept for an hour, nobody else's."""

from datetime import timedelta
from html import unescape

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import a_photo, a_sight, a_user, an_embedding, image_bytes
from webapp.accounts.models import User
from webapp.examples import services
from webapp.examples.models import KEPT, MAX_ATTEMPTS, ExampleImage
from webapp.examples.services import fail_picture, store_embedding, waiting_pictures
from webapp.library.models import Photo, Worker
from webapp.teach.models import ModelVersion
from webapp.teach.services import active_version
from workers import housekeeping, queue

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

WAITING = {"HX-Request": "true", "HX-Trigger": "looking"}  # as the page that waits asks again
SEARCH, TAKE = reverse("find:page"), reverse("examples:take")


def drop(client: Client, content: bytes, name: str = "picture.jpg") -> dict[str, str]:
    answer = client.post(TAKE, {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 201, answer.content
    return answer.json()


def page(client: Client, url: str, **headers: str) -> str:
    answer = client.get(url, headers=headers)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def a_looker() -> None:
    now = timezone.now()
    Worker.objects.create(name="look@here", queues="look", pid=1, started_at=now, seen_at=now)


def test_a_picture_is_promised_until_a_worker_has_looked(as_ana: Client, ana: User) -> None:
    a_looker()
    photo = a_photo(ana)
    a_sight(photo, embedding=an_embedding(seed=1))
    answer = drop(as_ana, image_bytes(size=(1200, 900)))
    assert queue.redis().llen("look") == 1
    assert "Looking at your picture" in page(as_ana, answer["url"])

    (row,) = waiting_pictures(active_version())
    store_embedding(row, active_version(), an_embedding(seed=1))
    asked_again = as_ana.get(answer["url"], headers=WAITING)

    assert asked_again.headers["HX-Refresh"] == "true"
    ready = as_ana.get(answer["url"])
    assert [tile.id for tile in ready.context["tiles"]] == [photo.pk]
    assert "HX-Refresh" not in ready.headers
    assert not Photo.objects.exclude(pk=photo.pk).exists()  # it is no photo of the library


def test_only_a_small_copy_without_metadata_is_kept(as_ana: Client) -> None:
    exif = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00"
    token = drop(as_ana, image_bytes(size=(1600, 800), exif=exif), "zanzibar.jpg")["token"]
    shown = as_ana.get(reverse("examples:picture", args=[token]))
    assert shown.headers["Content-Type"] == "image/webp"
    row = ExampleImage.objects.get()
    assert bytes(row.picture) == shown.content
    assert b"Exif" not in shown.content
    assert "zanzibar" not in str(ExampleImage.objects.values().get())
    assert row.key not in page(as_ana, SEARCH)


def test_the_picture_is_shown_and_can_be_taken_away(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana)
    token = drop(as_ana, image_bytes())["token"]
    answer = as_ana.get(SEARCH, {"image": token, "like": str(photo.pk), "q": "at night"})
    first, second = answer.context["examples"]
    assert first.without_url.endswith(f"?q=at+night&image={token.replace(':', '%3A')}")
    assert second.without_url == f"{SEARCH}?q=at+night&like={photo.pk}"
    assert second.thumbnail == reverse("examples:picture", args=[token])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"This is a letter, not a picture.", "not a photo"),
        (b"%PDF-1.7 and so on", "cannot"),
        (image_bytes(size=(640, 480))[:400], "cut off"),
    ],
)
def test_a_file_that_is_no_picture_is_answered_in_a_sentence(
    as_ana: Client, content: bytes, sentence: str
) -> None:
    answer = as_ana.post(TAKE, {"file": SimpleUploadedFile("picture.jpg", content)})
    assert answer.status_code == 422
    assert sentence in unescape(answer.content.decode())
    assert not ExampleImage.objects.exists()


@pytest.mark.parametrize("data", [{}, {"file": "no file"}, {"file": ""}])
def test_no_file_is_answered_in_a_sentence(as_ana: Client, data: dict[str, str]) -> None:
    answer = as_ana.post(TAKE, data, headers={"Accept": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["error"]["message"] == "No picture came with this request. Choose one."


def test_a_file_beyond_the_limit_is_refused_unread(
    as_ana: Client, settings: pytest.FixtureRequest
) -> None:
    settings.MAREA_MAX_FILE_MB = 1
    file = SimpleUploadedFile("picture.jpg", b"\xff" * (2 << 20))
    answer = as_ana.post(TAKE, {"file": file}, headers={"Accept": "application/json"})
    assert answer.status_code == 413
    assert "at most 1 MB" in answer.json()["error"]["message"]


def test_without_a_worker_the_page_says_so(as_ana: Client) -> None:
    url = drop(as_ana, image_bytes())["url"]
    assert "No worker is running" in page(as_ana, url)
    a_looker()
    assert "No worker is running" not in page(as_ana, url)


def test_somebody_elses_picture_is_an_unknown_one(as_ana: Client) -> None:
    bob = Client()
    bob.force_login(a_user("bob"))
    theirs = drop(bob, image_bytes())["token"]
    for token in (theirs, "x" * 43, "x:y:z", "\x00", "🐕"):
        for url in (reverse("examples:picture", args=[token]), f"{SEARCH}?image={token}"):
            answer = as_ana.get(url)
            assert answer.status_code == 404
            assert "no longer kept" in unescape(answer.content.decode())


def test_after_an_hour_a_picture_is_gone(as_ana: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = drop(as_ana, image_bytes())
    housekeeping.tidy()
    assert ExampleImage.objects.exists()
    ExampleImage.objects.update(created_at=timezone.now() - KEPT - timedelta(minutes=1))
    assert as_ana.get(answer["url"]).status_code == 404
    assert list(waiting_pictures(active_version())) == []
    housekeeping.tidy()
    assert not ExampleImage.objects.exists()


def test_an_address_wears_off_with_its_picture(
    as_ana: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = drop(as_ana, image_bytes())
    monkeypatch.setattr(services, "KEPT", timedelta(seconds=-1))
    assert as_ana.get(answer["url"]).status_code == 404


def test_one_person_cannot_fill_the_database(
    as_ana: Client, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "KEPT_A_PERSON", 2)
    theirs = ExampleImage.objects.create(owner=a_user("bob"), key="k", picture=b"")
    for _ in range(4):
        drop(as_ana, image_bytes())
    assert ExampleImage.objects.visible_to(ana).count() == 2
    assert ExampleImage.objects.filter(pk=theirs.pk).exists()


def test_why_a_picture_cannot_be_looked_at_is_told(as_ana: Client) -> None:
    url = drop(as_ana, image_bytes())["url"]
    fail_picture(ExampleImage.objects.get(), "The model failed on this picture.")
    answer = as_ana.get(url)
    assert answer.status_code == 409
    assert "The model failed on this picture." in answer.content.decode()
    assert as_ana.get(url, headers=WAITING).headers["HX-Refresh"] == "true"  # and no more


def test_a_picture_that_ends_its_worker_each_time_is_given_up(as_ana: Client) -> None:
    url = drop(as_ana, image_bytes())["url"]
    for _ in range(MAX_ATTEMPTS):
        assert len(list(waiting_pictures(active_version()))) == 1
    assert list(waiting_pictures(active_version())) == []
    answer = as_ana.get(url)
    assert answer.status_code == 409
    assert "ended the worker" in answer.content.decode()


def test_another_version_looks_again(as_ana: Client) -> None:
    url = drop(as_ana, image_bytes())["url"]
    (row,) = waiting_pictures(active_version())
    store_embedding(row, active_version(), an_embedding())
    assert "Looking at" not in page(as_ana, url)
    other = ModelVersion.objects.create(name="other", folder=str(services.__file__))
    ModelVersion.objects.update(is_active=False)
    ModelVersion.objects.filter(pk=other.pk).update(is_active=True)
    assert "Looking at" in page(as_ana, url)
    assert len(list(waiting_pictures(other))) == 1


def test_the_microphone_is_for_our_own_pages_only(as_ana: Client) -> None:
    policy = as_ana.get(SEARCH).headers["Permissions-Policy"]
    assert "microphone=(self)" in policy
    assert "camera=()" in policy
    assert settings.MIDDLEWARE.index("webapp.permissions.PermissionsPolicyMiddleware") < 5
