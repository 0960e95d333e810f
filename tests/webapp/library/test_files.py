"""Originals and thumbnails as browsers receive them."""

from typing import Any

import pytest
from django.test import Client

from tests.factories import a_photo, a_user, image_bytes
from webapp.accounts.models import User
from webapp.library.services.thumbnails import delete_thumbnails
from webapp.library.storage import originals
from workers import queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(client: Client) -> User:
    user = a_user("ana")
    client.force_login(user)
    return user


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_an_original_comes_back_byte_for_byte_with_guards(client: Client, user: User) -> None:
    data = image_bytes()
    answer = client.get(f"/photos/{a_photo(user, data=data).pk}/original")
    assert body(answer) == data
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Content-Disposition"].startswith("inline")


@pytest.mark.parametrize("media_type", ["text/html", "image/svg+xml", "application/javascript"])
def test_a_type_that_we_do_not_take_is_never_served(
    client: Client, user: User, media_type: str
) -> None:
    """Even if a row said so: an upload that is served as a page speaks for its reader."""
    photo = a_photo(user, media_type=media_type)
    answer = client.get(f"/photos/{photo.pk}/original")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("media_type", ["image/heic", "image/tiff", "image/bmp"])
def test_what_browsers_do_not_show_is_a_download(
    client: Client, user: User, media_type: str
) -> None:
    answer = client.get(f"/photos/{a_photo(user, media_type=media_type).pk}/original")
    assert answer.headers["Content-Type"] == media_type
    assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("file_name", "offered"),
    [("beach.jpg", 'filename="beach.jpg"'), ("page.html", 'filename="page.html.jpg"'),
     ("no ending", 'filename="no ending.jpg"'),
     ("Größe.JPG", "filename*=utf-8''Gr%C3%B6%C3%9Fe.JPG"),
     ('a"; evil="b.jpg', 'filename="a\\"; evil=\\"b.jpg"'),
     ("a\r\nSet-Cookie: b=c.jpg", "filename*=utf-8''a%0D%0ASet-Cookie%3A%20b%3Dc.jpg")],
)  # fmt: skip
def test_a_download_is_named_as_the_picture_it_is(
    client: Client, user: User, file_name: str, offered: str
) -> None:
    photo = a_photo(user, file_name=file_name)
    answer = client.get(f"/photos/{photo.pk}/original?download")
    assert answer.headers["Content-Disposition"] == f"attachment; {offered}"


def test_an_original_that_the_browser_has_is_not_sent_again(client: Client, user: User) -> None:
    path = f"/photos/{a_photo(user).pk}/original"
    etag = client.get(path).headers["ETag"]
    again = client.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["Cache-Control"] == "private, no-cache"
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_missing_original_is_said_in_words(client: Client, user: User) -> None:
    photo = a_photo(user)
    originals().delete(photo.original_name)
    answer = client.get(f"/photos/{photo.pk}/original")
    assert answer.status_code == 404
    assert "doctor" in answer.text


@pytest.mark.parametrize("size", ["small", "large"])
def test_a_thumbnail_named_by_its_content_is_kept_for_ever(
    client: Client, user: User, size: str
) -> None:
    photo = a_photo(user)
    path = f"/photos/{photo.pk}/thumbnail/{size}"
    named = client.get(path, {"v": photo.sha256[:12]})
    assert named.headers["Content-Type"] == "image/webp"
    assert named.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert "sandbox" in named.headers["Content-Security-Policy"]
    for other in ({}, {"v": "0" * 12}):
        assert client.get(path, other).headers["Cache-Control"] == "private, no-cache"


def test_unknown_thumbnail_sizes_are_not_found(client: Client, user: User) -> None:
    photo = a_photo(user)
    for size in ("huge", "..", "small.webp"):
        assert client.get(f"/photos/{photo.pk}/thumbnail/{size}").status_code == 404


def test_a_lost_thumbnail_is_asked_for_and_the_browser_told_to_come_back(
    client: Client, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[int]] = []
    monkeypatch.setattr(queue, "remake_thumbnails", asked.append)  # the queue is the network
    photo = a_photo(user)
    delete_thumbnails(photo.sha256)
    answer = client.get(f"/photos/{photo.pk}/thumbnail/small")
    assert answer.status_code == 404
    assert answer.headers["Retry-After"] == "5"
    assert answer.headers["Cache-Control"] == "no-store"
    assert asked == [[photo.pk]]


def test_nothing_is_asked_for_a_photo_that_could_not_be_read(
    client: Client, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[int]] = []
    monkeypatch.setattr(queue, "remake_thumbnails", asked.append)
    photo = a_photo(user, state="failed", with_thumbnails=False)
    assert client.get(f"/photos/{photo.pk}/thumbnail/small").status_code == 404
    assert asked == []


def test_files_answer_only_to_being_read(client: Client, user: User) -> None:
    photo = a_photo(user)
    for path in (f"/photos/{photo.pk}/original", f"/photos/{photo.pk}/thumbnail/small"):
        assert client.post(path).status_code == 405
        assert client.head(path).status_code == 200


def test_a_waiting_photo_does_not_tell_that_somebody_else_has_it_too(
    client: Client, user: User
) -> None:
    data = image_bytes()
    a_photo(a_user("bob"), data=data)
    mine = a_photo(user, data=data, state="waiting", with_thumbnails=False)
    alone = a_photo(user, state="waiting", with_thumbnails=False)
    answers = [
        client.get(f"/photos/{photo.pk}/thumbnail/small", headers={"Accept": "application/json"})
        for photo in (mine, alone)
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
