import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.factories import a_photo, a_sight, a_token, a_user, image_bytes
from webapp.accounts.models import User
from webapp.library.models import Photo
from webapp.library.storage import originals
from webapp.teach.models import Correction

pytestmark = pytest.mark.django_db

PHOTOS = "/api/v1/photos"


@pytest.fixture
def user() -> User:
    return a_user("ana")


@pytest.fixture
def api(user: User) -> Client:
    """A program that may write."""
    return Client(headers={"Authorization": f"Bearer {a_token(user, scope='write')}"})


def send(api: Client, method: str, path: str, body: Any = None) -> Any:
    call = getattr(api, method)
    return call(path, json.dumps(body), content_type="application/json")


def ids(answer: Any) -> list[int]:
    return [photo["id"] for photo in answer.json()["photos"]]


# --- List ---


def test_the_list_is_newest_first_and_without_the_trash(api: Client, user: User) -> None:
    old = a_photo(user, taken_at=datetime(2020, 1, 1, tzinfo=UTC))
    new = a_photo(user, taken_at=datetime(2024, 1, 1, tzinfo=UTC))
    gone = a_photo(user, trashed_at=datetime(2024, 2, 1, tzinfo=UTC))
    assert ids(api.get(PHOTOS)) == [new.pk, old.pk]
    assert ids(api.get(PHOTOS, {"trash": "true"})) == [gone.pk]


def test_pages_follow_each_other_even_when_times_are_equal(api: Client, user: User) -> None:
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    everything = {a_photo(user, taken_at=noon, with_thumbnails=False).pk for _ in range(7)}
    seen: list[int] = []
    cursor = ""
    while cursor is not None:
        answer = api.get(PHOTOS, {"limit": 3, "cursor": cursor})
        seen += ids(answer)
        cursor = answer.json()["next_cursor"]
    assert seen == sorted(everything, reverse=True)


@pytest.mark.parametrize("cursor", ["x", "1:2", "WzEsMl0:abc", "\0", "ü", "a" * 500])
def test_a_cursor_that_is_not_ours_is_refused(api: Client, cursor: str) -> None:
    answer = api.get(PHOTOS, {"cursor": cursor})
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]["field"] == "cursor"


def test_the_list_can_be_narrowed(api: Client, user: User) -> None:
    liked = a_photo(user, is_favourite=True)
    failed = a_photo(user, state="failed", error="It is broken.")
    tagged = a_photo(user)
    a_sight(tagged, tags=[("dog", 0.9)])
    assert ids(api.get(PHOTOS, {"favourite": "true"})) == [liked.pk]
    assert ids(api.get(PHOTOS, {"state": "failed"})) == [failed.pk]
    assert ids(api.get(PHOTOS, {"tag": "Dog"})) == [tagged.pk]
    assert ids(api.get(PHOTOS, {"tag": "cat"})) == []


@pytest.mark.parametrize(
    ("name", "value"), [("limit", "0"), ("limit", "501"), ("limit", "x"), ("state", "new"),
                        ("favourite", "perhaps"), ("tag", "\0"), ("tag", " ")]
)  # fmt: skip
def test_what_cannot_be_asked_for_is_said_in_the_one_shape(
    api: Client, name: str, value: str
) -> None:
    answer = api.get(PHOTOS, {name: value})
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["field"] == name
    assert error["message"].endswith("Nothing was changed.") or value == " "


def test_a_list_costs_as_many_queries_for_twenty_photos_as_for_two(
    api: Client, user: User, django_assert_num_queries: Any
) -> None:
    def fill(count: int) -> None:
        for _ in range(count):
            photo = a_photo(user, with_thumbnails=False)
            a_sight(photo, caption="a dog", tags=[("dog", 0.9), ("grass", 0.7)])

    fill(2)
    api.get(PHOTOS)  # the token's use is noted
    with django_assert_num_queries(6):  # token, photos, which version, sights, tags, read texts
        assert len(ids(api.get(PHOTOS))) == 2
    fill(18)
    with django_assert_num_queries(6):
        assert len(ids(api.get(PHOTOS))) == 20


# --- Upload ---


def upload(api: Client, data: bytes, name: str = "beach.jpg", **fields: str) -> Any:
    return api.post(PHOTOS, {"file": SimpleUploadedFile(name, data)} | fields)


def test_an_upload_is_new_then_known_then_restored(api: Client) -> None:
    data = image_bytes()
    first = upload(api, data)
    assert (first.status_code, first.json()["outcome"]) == (201, "new")
    photo = first.json()["photo"]
    assert photo["sha256"] == hashlib.sha256(data).hexdigest()
    assert photo["state"] == "waiting"
    second = upload(api, data, name="other.jpg")
    assert (second.status_code, second.json()["outcome"]) == (200, "known")
    api.delete(f"{PHOTOS}/{photo['id']}")
    third = upload(api, data)
    assert (third.status_code, third.json()["outcome"]) == (200, "restored")
    assert third.json()["photo"]["id"] == photo["id"]
    assert originals().open(Photo.objects.get().original_name).read() == data


def test_the_files_own_time_stands_in_for_a_missing_date(api: Client) -> None:
    upload(api, image_bytes(), modified_at="2021-05-06T07:08:09")
    assert Photo.objects.get().shown_at == datetime(2021, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert upload(api, image_bytes(), modified_at="1620284889").status_code == 422


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "empty"), (b"no photo", "not_an_image"), (b"<svg xmlns='a'/>", "unsupported_format"),
     (image_bytes(seed=1)[:200], "truncated")],
    ids=["empty", "text", "svg", "truncated"],
)  # fmt: skip
def test_what_is_no_photo_is_refused_with_its_reason(api: Client, data: bytes, code: str) -> None:
    answer = upload(api, data)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["field"] == "file"
    assert error["message"].startswith("beach.jpg was not added: ")
    assert error["code"] in {code, "damaged"}
    assert not Photo.objects.exists()


def test_a_body_beyond_the_limit_is_refused_before_it_is_stored(
    api: Client, settings: Any, tmp_path: Path
) -> None:
    settings.MAREA_MAX_FILE_MB = 1
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    answer = upload(api, bytes(2 << 20))
    assert answer.status_code == 413
    assert "photos may be at most 1 MB" in answer.json()["error"]["message"]
    assert list(tmp_path.iterdir()) == []


def test_a_full_quota_is_a_refusal_that_names_it(api: Client, user: User, settings: Any) -> None:
    settings.MAREA_USER_QUOTA_MB = 1
    a_photo(user, size_bytes=1 << 20)
    answer = upload(api, image_bytes())
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "quota"


@pytest.mark.parametrize("body", [{}, {"file": "text, not a file"}])
def test_an_upload_without_a_file_says_so(api: Client, body: dict[str, str]) -> None:
    answer = api.post(PHOTOS, body)
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "file"


def test_a_broken_form_is_a_bad_request(api: Client) -> None:
    answer = api.post(PHOTOS, b"rubbish", content_type="multipart/form-data; boundary=")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_request"


def test_known_tells_which_photos_are_here(api: Client, user: User) -> None:
    here, foreign = a_photo(user), a_photo(a_user())
    answer = send(
        api, "post", f"{PHOTOS}/known", {"sha256": [here.sha256, foreign.sha256, "0" * 64]}
    )
    assert answer.json() == {"known": {here.sha256: here.pk}}


@pytest.mark.parametrize("hashes", [["xyz"], ["A" * 64], ["0" * 64] * 1001, "0" * 64, None])
def test_known_takes_a_thousand_hashes_and_nothing_else(api: Client, hashes: Any) -> None:
    assert send(api, "post", f"{PHOTOS}/known", {"sha256": hashes}).status_code == 422


# --- One photo ---


def test_a_photo_shows_what_is_known_about_it(api: Client, user: User) -> None:
    photo = a_photo(user, camera="Nikon", latitude=1.5, longitude=-2.0)
    a_sight(photo, caption="two dogs on a beach", tags=[("dog", 0.9)])
    shown = api.get(f"{PHOTOS}/{photo.pk}").json()
    assert shown["caption"] == "two dogs on a beach"
    assert shown["caption_source"] == "model"
    assert shown["tags"] == [{"name": "dog", "source": "model", "probability": 0.9}]
    assert (shown["camera"], shown["latitude"]) == ("Nikon", 1.5)
    assert api.get(shown["original"]).status_code == 200
    assert api.get(shown["thumbnails"]["small"]).headers["Content-Type"] == "image/webp"


def test_captions_come_in_the_users_language_beside_all_that_are_there(
    api: Client, user: User
) -> None:
    photo = a_photo(user)
    a_sight(photo, caption="two dogs", other_captions={"de": ("zwei Hunde", 0.6)})
    both = {"en": "two dogs", "de": "zwei Hunde"}
    for language, confidence in (("en", 0.5), ("de", 0.6)):
        User.objects.filter(pk=user.pk).update(caption_language=language)
        shown = api.get(f"{PHOTOS}/{photo.pk}").json()
        assert shown["caption"] == shown["alt"] == both[language]
        assert (shown["caption_source"], shown["caption_language"]) == ("model", language)
        assert (shown["caption_confidence"], shown["captions"]) == (confidence, both)
    change = {"caption": "Rex and Bella"}
    shown = send(api, "patch", f"{PHOTOS}/{photo.pk}", change).json()
    assert (shown["caption"], shown["caption_source"]) == ("Rex and Bella", "person")
    assert (shown["caption_language"], shown["caption_confidence"]) == (None, None)
    assert shown["captions"] == both


def test_a_photo_without_a_caption_still_has_an_alternative_text(api: Client, user: User) -> None:
    shown = api.get(f"{PHOTOS}/{a_photo(user, state='waiting').pk}").json()
    assert (shown["caption"], shown["captions"], shown["caption_source"]) == ("", {}, None)
    assert shown["alt"].startswith("Photo of ")


def test_a_change_touches_only_what_it_names(api: Client, user: User) -> None:
    photo = a_photo(user, is_favourite=True)
    a_sight(photo, caption="a cat", tags=[("cat", 0.9)])
    change = {"caption": "Our dog", "add_tags": ["Dog"], "remove_tags": ["cat"]}
    shown = send(api, "patch", f"{PHOTOS}/{photo.pk}", change).json()
    assert shown["is_favourite"] is True
    assert (shown["caption"], shown["caption_source"]) == ("Our dog", "person")
    assert [(tag["name"], tag["source"]) for tag in shown["tags"]] == [("dog", "person")]
    shown = send(api, "patch", f"{PHOTOS}/{photo.pk}", {"is_favourite": False}).json()
    assert shown["is_favourite"] is False
    assert shown["caption"] == "Our dog"
    assert send(api, "patch", f"{PHOTOS}/{photo.pk}", {"caption": ""}).json()["caption"] == "a cat"


def test_a_refused_tag_undoes_the_whole_change(api: Client, user: User) -> None:
    photo = a_photo(user)
    change = {"add_tags": ["dog", " "], "is_favourite": True}
    answer = send(api, "patch", f"{PHOTOS}/{photo.pk}", change)
    assert answer.status_code == 422
    photo.refresh_from_db()
    assert not photo.is_favourite
    assert not Correction.objects.exists()


@pytest.mark.parametrize(
    "change",
    [{"caption": "x" * 501}, {"caption": None}, {"caption": "\0"}, {"caption": "\ud800"},
     {"add_tags": ["x" * 81]}, {"add_tags": "dog"}, {"add_tags": ["a"] * 51},
     {"captoin": "typo"}, {"is_favourite": "yes"}, [], "text", None],
)  # fmt: skip
def test_bad_changes_are_refused(api: Client, user: User, change: Any) -> None:
    answer = send(api, "patch", f"{PHOTOS}/{a_photo(user).pk}", change)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000])
def test_bodies_that_are_no_json_are_refused(api: Client, user: User, body: bytes) -> None:
    path = f"{PHOTOS}/{a_photo(user).pk}"
    answer = api.patch(path, body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_request"


def test_html_in_names_comes_back_as_it_is_and_as_json(api: Client, user: User) -> None:
    photo = a_photo(user)
    shown = send(api, "patch", f"{PHOTOS}/{photo.pk}", {"add_tags": ["<b>dog</b>"]})
    assert shown.headers["Content-Type"].startswith("application/json")
    assert shown.json()["tags"][0]["name"] == "<b>dog</b>"


def test_delete_moves_to_the_trash_and_restore_brings_back(api: Client, user: User) -> None:
    photo = a_photo(user)
    assert api.delete(f"{PHOTOS}/{photo.pk}").json()["trashed_at"]
    assert ids(api.get(PHOTOS)) == []
    assert api.post(f"{PHOTOS}/{photo.pk}/restore").json()["trashed_at"] is None
    assert ids(api.get(PHOTOS)) == [photo.pk]


@pytest.mark.parametrize("photo_id", ["0", "-1", "x", "9" * 30, "%00"])
def test_ids_that_cannot_be_are_not_found_or_refused(api: Client, photo_id: str) -> None:
    answer = api.get(f"{PHOTOS}/{photo_id}")
    assert answer.status_code in (404, 422)
    assert answer.json()["error"]["message"]


# --- Many photos ---


def test_bulk_actions_say_how_many_they_changed(api: Client, user: User) -> None:
    first, second = a_photo(user), a_photo(user, state="failed")
    both = {"ids": [first.pk, second.pk]}
    for action, body, changed in [
        ("favourite", both, 2), ("favourite", both, 0),
        ("favourite", both | {"is_favourite": False}, 2),
        ("tag", both | {"tag": "Beach"}, 2), ("untag", both | {"tag": "beach"}, 2),
        ("trash", both, 2), ("trash", both, 0), ("restore", both, 2), ("retry", both, 1),
    ]:  # fmt: skip
        answer = send(api, "post", f"{PHOTOS}/{action}", body)
        assert answer.json()["changed"] == changed, action


@pytest.mark.parametrize(
    "ids", [[0], [-1], [True], ["1"], [1 << 63], ["x"], [1.5], list(range(1, 10_002)), None]
)
def test_bulk_ids_must_be_ids_and_at_most_ten_thousand(api: Client, ids: Any) -> None:
    answer = send(api, "post", f"{PHOTOS}/trash", {"ids": ids})
    assert answer.status_code == 422
    assert answer.json()["error"]["field"].startswith("ids")


# --- Jobs, tags, models ---


def test_jobs_tell_how_far_looking_has_come(api: Client, user: User) -> None:
    a_photo(user)
    a_photo(user, state="waiting")
    failed = a_photo(user, state="failed", error="It is broken.", file_name="x.jpg")
    jobs = api.get("/api/v1/jobs").json()
    assert (jobs["waiting"], jobs["looking"], jobs["ready"], jobs["failed"]) == (1, 0, 1, 1)
    assert jobs["failures"] == [
        {"photo_id": failed.pk, "file_name": "x.jpg", "error": "It is broken."}
    ]


def test_tags_count_the_photos_of_the_user_outside_the_trash(api: Client, user: User) -> None:
    for owner in (user, user, a_user()):
        a_sight(a_photo(owner), tags=[("dog", 0.9)])
    a_sight(a_photo(user, trashed_at=datetime(2024, 1, 1, tzinfo=UTC)), tags=[("dog", 0.9)])
    a_sight(a_photo(user), tags=[("door", 0.9)])
    assert api.get("/api/v1/tags").json()["tags"] == [
        {"name": "dog", "photos": 2},
        {"name": "door", "photos": 1},
    ]
    assert api.get("/api/v1/tags", {"start": "DOO"}).json()["tags"][0]["name"] == "door"


def test_models_name_the_active_version_and_no_folder(api: Client) -> None:
    models = api.get("/api/v1/models").json()["models"]
    assert [version["is_active"] for version in models] == [True]
    assert "folder" not in models[0]
    assert (models[0]["parent"], models[0]["is_ready"]) == (None, True)
