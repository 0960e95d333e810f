"""The tus server, spoken to over HTTP: announcing, sending, going on, dropping."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import a_photo, a_user, image_bytes
from tests.webapp.library.uploader import BYTES, Uploader
from webapp.accounts.models import User
from webapp.library.models import Photo, Upload
from webapp.library.services.trash import trash_photos
from webapp.library.services.uploads import expire_uploads, path_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return a_user()


@pytest.fixture
def uploader(owner: User) -> Uploader:
    return Uploader(owner)


def test_a_photo_sent_along_with_its_announcement_is_added(uploader: Uploader, owner: User) -> None:
    data = image_bytes()
    response = uploader.upload(data, name="beach.jpg")

    photo = Photo.objects.get(owner=owner)
    assert response.status_code == 201
    assert response["Upload-Offset"] == str(len(data))
    assert response.json() == {
        "photo": {"id": photo.pk, "url": reverse("library:photo", args=[photo.pk])},
        "outcome": "new",
    }
    assert photo.file_name == "beach.jpg"
    assert not Upload.objects.exists()


def test_a_photo_arrives_in_pieces(uploader: Uploader, owner: User) -> None:
    data = image_bytes()
    announced = uploader.announce(len(data))
    url = announced["Location"]
    assert (announced.status_code, announced["Upload-Offset"]) == (201, "0")

    middle = uploader.send(url, data[:100], offset=0)
    assert (middle.status_code, middle["Upload-Offset"]) == (204, "100")
    assert "GMT" in middle["Upload-Expires"]
    last = uploader.send(url, data[100:], offset=100)

    assert (last.status_code, last.json()["outcome"]) == (200, "new")
    assert Photo.objects.get(owner=owner).size_bytes == len(data)
    assert uploader.client.head(url).status_code == 404


def test_the_server_says_what_it_can(uploader: Uploader) -> None:
    response = uploader.client.options("/upload/files")
    assert response.status_code == 204
    assert response["Tus-Version"] == response["Tus-Resumable"] == "1.0.0"
    assert "creation-with-upload" in response["Tus-Extension"]
    assert response["Tus-Max-Size"] == str(200 << 20)


def test_an_upload_goes_on_where_it_was_cut(uploader: Uploader) -> None:
    """The body ends before its announced length, as when a connection breaks."""
    data = image_bytes()
    url = uploader.announce(len(data), data=data[:200])["Location"]

    progress = uploader.client.head(url)
    assert progress["Upload-Offset"] == "200"
    assert progress["Upload-Length"] == str(len(data))
    assert progress["Cache-Control"] == "no-store"
    assert uploader.send(url, data[200:], offset=200).json()["outcome"] == "new"


def test_another_offset_is_refused_and_changes_nothing(uploader: Uploader) -> None:
    data = image_bytes()
    url = uploader.announce(len(data), data=data[:200])["Location"]
    for offset in (0, 199, 201, len(data)):
        response = uploader.send(url, data[200:], offset=offset)
        assert response.status_code == 409
        assert "byte 200" in response.json()["error"]["message"]
    assert uploader.offset(url) == 200


def test_the_last_byte_is_asked_for_again_when_its_answer_was_lost(
    uploader: Uploader, owner: User
) -> None:
    """All bytes are here, but the process died before the photo was in the library."""
    data = image_bytes()
    url = uploader.announce(len(data), data=data[:-1])["Location"]
    path_of(Upload.objects.get(owner=owner)).write_bytes(data)

    assert uploader.offset(url) == len(data) - 1
    assert uploader.send(url, data[-1:], offset=len(data) - 1).json()["outcome"] == "new"


def test_the_same_file_twice_is_known_the_second_time(uploader: Uploader, owner: User) -> None:
    data = image_bytes()
    first = uploader.upload(data).json()
    again = uploader.upload(data, name="copy.jpg").json()
    assert again == {"photo": first["photo"], "outcome": "known"}
    assert Photo.objects.filter(owner=owner).count() == 1


def test_a_file_that_is_in_the_trash_comes_back(uploader: Uploader, owner: User) -> None:
    data = image_bytes()
    photo = a_photo(owner, data=data)
    trash_photos(Photo.objects.filter(pk=photo.pk))
    assert uploader.upload(data).json() == {
        "photo": {"id": photo.pk, "url": reverse("library:photo", args=[photo.pk])},
        "outcome": "restored",
    }


@pytest.mark.django_db(transaction=True)
def test_two_uploads_of_the_same_file_at_once_make_one_photo(owner: User) -> None:
    data = image_bytes(size=(640, 480))
    uploaders = [Uploader(owner) for _ in range(4)]
    urls = [uploader.announce(len(data), data=data[:-1])["Location"] for uploader in uploaders]
    outcomes: list[str] = []

    def finish(uploader: Uploader, url: str) -> None:
        response = uploader.send(url, data[-1:], offset=len(data) - 1)
        outcomes.append(response.json()["outcome"])
        connection.close()  # this thread's own

    threads = [
        threading.Thread(target=finish, args=pair) for pair in zip(uploaders, urls, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["known", "known", "known", "new"]
    assert Photo.objects.filter(owner=owner).count() == 1


def test_a_second_writer_is_told_to_wait(uploader: Uploader, owner: User) -> None:
    """The first request's body stalls; meanwhile another one comes for the same upload."""
    from webapp.library.services import uploads

    data = image_bytes()
    url = uploader.announce(len(data))["Location"]
    upload = Upload.objects.get(owner=owner)
    answers: list[HttpResponse] = []

    def stalling() -> Any:
        yield data[:100]
        answers.append(uploader.send(url, data, offset=0))
        answers.append(uploader.client.delete(url))

    uploads.receive(upload, stalling(), offset=0, take=uploads.add_uploaded)
    assert [answer.status_code for answer in answers] == [423, 423]
    assert uploader.offset(url) == 100


def test_an_upload_can_be_dropped(uploader: Uploader, owner: User) -> None:
    url = uploader.announce(1000, data=b"some bytes")["Location"]
    path = path_of(Upload.objects.get(owner=owner))
    assert uploader.client.delete(url).status_code == 204
    assert not path.exists()
    assert uploader.client.head(url).status_code == 404
    assert uploader.client.delete(url).status_code == 404


def test_proxies_without_patch_may_say_it_in_a_header(uploader: Uploader) -> None:
    data = image_bytes()
    url = uploader.announce(len(data))["Location"]
    headers = {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    response = uploader.client.post(url, data=data, content_type=BYTES, headers=headers)
    assert response.json()["outcome"] == "new"


def test_a_harmless_method_cannot_be_turned_into_another(uploader: Uploader) -> None:
    """Otherwise a link on a strange page could drop uploads: GET needs no CSRF token."""
    url = uploader.announce(1000)["Location"]
    headers = {"X-HTTP-Method-Override": "DELETE"}
    assert uploader.client.get(url, headers=headers).status_code == 405
    assert uploader.offset(url) == 0


def test_somebody_elses_upload_answers_like_none(uploader: Uploader) -> None:
    url = uploader.announce(1000, data=b"mine")["Location"]
    stranger = Uploader(a_user())
    unknown = "/upload/files/" + "A" * 43
    for method in ("head", "delete"):
        theirs, none = (getattr(stranger.client, method)(at) for at in (url, unknown))
        assert (theirs.status_code, theirs.content) == (404, none.content)
    theirs, none = (stranger.send(at, b"x", offset=4) for at in (url, unknown))
    assert (theirs.status_code, theirs.content) == (404, none.content)
    assert uploader.offset(url) == 4


def test_uploading_needs_sign_in_and_a_csrf_token(owner: User) -> None:
    headers = {"Tus-Resumable": "1.0.0", "Accept": "application/json", "Upload-Length": "5"}
    assert Client(headers=headers).post("/upload/files").status_code == 401
    without_token = Uploader(owner, enforce_csrf_checks=True)
    assert without_token.announce(5).status_code == 403
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Length": "5", "Tus-Resumable": "0.2.2"}, 412),
        ({}, 400),
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Length": "5.0"}, 400),
        ({"Upload-Length": "٥"}, 400),
        ({"Upload-Length": "9" * 30}, 400),
        ({"Upload-Length": "5", "Upload-Metadata": "filename !!!"}, 400),
        ({"Upload-Length": "5", "Upload-Metadata": "filename YQ==,,lastModified"}, 201),
        ({"Upload-Length": "5", "Upload-Metadata": "lastModified OTk5OTk5OTk5OTk5OTk5"}, 201),
    ],
)
def test_strange_announcements_get_a_clear_answer(
    uploader: Uploader, headers: dict[str, str], status: int
) -> None:
    response = uploader.client.post("/upload/files", headers=headers)
    assert response.status_code == status
    assert status == 201 or response.json()["error"]["message"].endswith(".")


def test_bytes_need_their_content_type_and_offset(uploader: Uploader) -> None:
    url = uploader.announce(10)["Location"]
    headers = {"Upload-Offset": "0"}
    wrong_type = uploader.client.patch(url, data=b"x", content_type="image/jpeg", headers=headers)
    assert wrong_type.status_code == 415
    assert uploader.send(url, b"x", offset="").status_code == 400
    assert uploader.send(url, b"x" * 11, offset=0).status_code == 413


def test_a_file_over_the_limit_is_refused_when_announced(uploader: Uploader, settings: Any) -> None:
    settings.MAREA_MAX_FILE_MB = 1
    response = uploader.announce(62 << 20, name="beach.heic")
    assert response.status_code == 413
    assert response.json()["error"]["message"] == (
        "beach.heic is 62 MB; photos may be at most 1 MB. It was not uploaded."
    )
    assert not Upload.objects.exists()


def test_the_quota_counts_photos_and_uploads_on_their_way(
    uploader: Uploader, owner: User, settings: Any
) -> None:
    settings.MAREA_USER_QUOTA_MB = 3
    a_photo(owner, size_bytes=1 << 20)
    assert uploader.announce(2 << 20).status_code == 201
    refused = uploader.announce(1)
    assert refused.status_code == 413
    assert refused.json()["error"]["code"] == "quota"
    assert Uploader(a_user()).announce(1 << 20).status_code == 201


def test_the_last_bytes_may_still_meet_the_quota(
    uploader: Uploader, owner: User, settings: Any
) -> None:
    """The quota was lowered, or filled by a program, while the file was on its way."""
    data = image_bytes()
    url = uploader.announce(len(data))["Location"]
    settings.MAREA_USER_QUOTA_MB = 1
    a_photo(owner, size_bytes=1 << 20)
    assert uploader.send(url, data, offset=0).json()["error"]["code"] == "quota"
    assert not Upload.objects.exists()


def test_unfinished_uploads_expire(uploader: Uploader, owner: User, settings: Any) -> None:
    old_url = uploader.announce(1000, data=b"old")["Location"]
    old = Upload.objects.get(owner=owner)
    Upload.objects.update(touched_at=timezone.now() - timedelta(days=1, minutes=1))
    new_url = uploader.announce(1000, data=b"new")["Location"]
    assert uploader.client.head(old_url).status_code == 404

    assert expire_uploads() == 1
    assert not path_of(old).exists()
    assert list(Upload.objects.values_list("size_bytes", flat=True)) == [1000]
    assert uploader.offset(new_url) == 3


def test_known_hashes_are_told_before_bytes_are_sent(uploader: Uploader, owner: User) -> None:
    here, trashed, foreign = a_photo(owner), a_photo(owner), a_photo(a_user())
    trash_photos(Photo.objects.filter(pk=trashed.pk))
    hashes = [here.sha256, trashed.sha256, foreign.sha256, "0" * 64, "no hash", 5]
    response = uploader.client.post(
        "/upload/known", data={"hashes": hashes}, content_type="application/json"
    )
    assert response.json() == {
        "known": {here.sha256: {"id": here.pk, "url": reverse("library:photo", args=[here.pk])}}
    }


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"hashes": 1}', b"\xff", b'{"hashes":', b"[" * 100_000]
)
def test_a_strange_question_for_hashes_is_refused(uploader: Uploader, body: bytes) -> None:
    response = uploader.client.post("/upload/known", data=body, content_type="application/json")
    assert response.status_code == 400


def test_a_full_disk_is_told_and_leaves_nothing(uploader: Uploader, owner: User) -> None:
    """/dev/full answers every write as a full disk does."""
    data = image_bytes()
    url = uploader.announce(len(data))["Location"]
    path = path_of(Upload.objects.get(owner=owner))
    path.unlink()
    path.symlink_to("/dev/full")

    response = uploader.send(url, data, offset=0)
    assert response.status_code == 507
    assert "disk is full" in response.json()["error"]["message"]
    assert not path.is_symlink()
    assert not Upload.objects.exists()
    assert Path("/dev/full").exists()


@pytest.mark.parametrize("key", ["%00", "a%00b", "%C3%A9", "a%20b"])
def test_a_key_that_nobody_was_given_is_unknown(uploader: Uploader, key: str) -> None:
    assert uploader.client.head(f"/upload/files/{key}").status_code == 404
