"""One action on many photos."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import a_photo, a_sight, a_user
from webapp.accounts.models import User
from webapp.library.models import Photo
from webapp.library.services.trash import trash_photos
from webapp.library.views import bulk
from webapp.teach.corrections import saying
from webapp.teach.models import Correction, PhotoTag

pytestmark = pytest.mark.django_db


def do(as_ana: Client, action: str, photos: list[Photo], **fields: Any) -> dict[str, Any]:
    answer = as_ana.post(
        reverse("library:bulk", args=[action]),
        {"photos": ",".join(str(photo.pk) for photo in photos), **fields},
        headers={"accept": "application/json"},
    )
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_favourites_are_marked_and_unmarked(as_ana: Client, ana: User) -> None:
    photos = [a_photo(ana), a_photo(ana)]
    told = do(as_ana, "favourite", photos)
    told["undo"]["photos"].sort()  # in no order of their own
    undo = {"action": "unfavourite", "photos": [photo.pk for photo in photos]}
    assert told == {"count": 2, "message": "2 photos marked as favourite.", "undo": undo}
    assert Photo.objects.filter(is_favourite=True).count() == 2
    do(as_ana, "unfavourite", photos[:1])
    assert Photo.objects.get(is_favourite=True) == photos[1]


def test_trash_is_undone_by_the_action_that_it_names(as_ana: Client, ana: User) -> None:
    photos = [a_photo(ana), a_photo(ana)]
    told = do(as_ana, "trash", photos)
    assert told["message"] == "2 photos moved to the trash."
    assert Photo.objects.in_trash().count() == 2
    do(as_ana, told["undo"]["action"], photos)
    assert Photo.objects.in_library().count() == 2


@pytest.mark.parametrize("action", ["favourite", "trash"])
def test_undoing_leaves_what_was_so_before(as_ana: Client, ana: User, action: str) -> None:
    before, changed = a_photo(ana), a_photo(ana)
    do(as_ana, action, [before])
    assert do(as_ana, action, [before, changed])["undo"]["photos"] == [changed.pk]
    assert do(as_ana, action, [before, changed])["undo"] is None


def test_what_was_said_at_once_is_taken_back_at_once(as_ana: Client, ana: User) -> None:
    before, changed = a_photo(ana), a_photo(ana)
    do(as_ana, "tag", [before], tag="dog")
    act = do(as_ana, "tag", [before, changed], tag="dog")["undo"]["act"]
    undo = reverse("teach:undo", args=[act])
    told = as_ana.post(undo, headers={"accept": "application/json"}).json()
    assert told == {"count": 2, "message": "Taken back on 2 photos."}
    assert list(PhotoTag.objects.shown().values_list("photo", flat=True)) == [before.pk]


def test_an_act_on_more_photos_than_a_statement_takes_is_still_one(
    as_ana: Client, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 2)
    monkeypatch.setattr(saying, "BATCH", 2)
    photos = [a_photo(ana) for _ in range(5)]
    act = do(as_ana, "tag", photos, tag="dog")["undo"]["act"]
    assert Correction.objects.filter(act=act).count() == 5
    as_ana.post(reverse("teach:undo", args=[act]))
    assert Correction.objects.filter(undoes__act=act).values("act").distinct().count() == 1
    assert not PhotoTag.objects.exists()


def test_a_tag_is_said_of_so_many_photos_at_most(as_ana: Client, ana: User) -> None:
    ids = ",".join(map(str, range(1, bulk.MAX_SAID + 2)))
    answer = as_ana.post(
        reverse("library:bulk", args=["tag"]),
        {"photos": ids, "tag": "dog"},
        headers={"accept": "application/json"},
    )
    assert answer.status_code == 413
    assert not Correction.objects.exists()


def test_a_tag_is_confirmed_and_renamed_where_it_stands(as_ana: Client, ana: User) -> None:
    seen, other = a_photo(ana), a_photo(ana)
    a_sight(seen, tags=[("dog", 0.6)])
    assert do(as_ana, "confirm", [seen, other], tag="dog")["count"] == 1
    assert do(as_ana, "rename", [seen, other], tag="dog", new="Rex")["count"] == 1
    assert set(PhotoTag.objects.shown().values_list("photo", "tag__name")) == {(seen.pk, "rex")}


def test_only_photos_in_the_trash_are_deleted_for_good(as_ana: Client, ana: User) -> None:
    kept, trashed = a_photo(ana), a_photo(ana)
    trash_photos(Photo.objects.filter(pk=trashed.pk))
    assert do(as_ana, "delete", [kept, trashed])["count"] == 1
    assert list(Photo.objects.all()) == [kept]


def test_a_tag_for_many_is_a_persons_word(as_ana: Client, ana: User) -> None:
    photos = [a_photo(ana), a_photo(ana)]
    do(as_ana, "tag", photos, tag="  Summer  2024 ")
    assert set(PhotoTag.objects.values_list("tag__name", "source")) == {("summer 2024", "person")}
    assert Correction.objects.filter(user=ana, kind="add_tag").count() == 2
    do(as_ana, "untag", photos, tag="summer 2024")
    assert not PhotoTag.objects.shown().exists()


def test_an_empty_tag_is_refused_in_words(as_ana: Client, ana: User) -> None:
    answer = as_ana.post(
        reverse("library:bulk", args=["tag"]),
        {"photos": a_photo(ana).pk, "tag": " "},
        headers={"accept": "application/json"},
    )
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "tag"


def test_photos_that_were_set_aside_wait_again(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana, state=Photo.State.FAILED, attempts=3, error="damaged")
    do(as_ana, "retry", [photo])
    photo.refresh_from_db()
    assert (photo.state, photo.attempts, photo.error) == ("waiting", 0, "")


@pytest.mark.parametrize(
    "action", ["favourite", "unfavourite", "tag", "untag", "trash", "restore", "delete", "retry"]
)
def test_others_photos_are_left_alone_and_not_counted(
    as_ana: Client, ana: User, action: str
) -> None:
    theirs = a_photo(a_user("bob"), state=Photo.State.FAILED, is_favourite=action == "unfavourite")
    if action in ("restore", "delete"):
        trash_photos(Photo.objects.filter(pk=theirs.pk))
    before = Photo.objects.filter(pk=theirs.pk).values().get()
    assert do(as_ana, action, [theirs], tag="mine")["count"] == 0
    assert Photo.objects.filter(pk=theirs.pk).values().get() == before
    assert not PhotoTag.objects.exists()


def test_thousands_are_one_request(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana)
    ids = ",".join(map(str, [*range(10**6, 10**6 + 40_000), photo.pk]))
    answer = as_ana.post(
        reverse("library:bulk", args=["trash"]),
        {"photos": ids},
        headers={"accept": "application/json"},
    )
    assert answer.json()["count"] == 1


def test_an_unknown_action_is_not_found(as_ana: Client, ana: User) -> None:
    answer = as_ana.post(reverse("library:bulk", args=["explode"]), {"photos": a_photo(ana).pk})
    assert answer.status_code == 404


def test_without_scripts_the_page_comes_back_with_a_message(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana)
    back = reverse("library:photo", args=[photo.pk])
    answer = as_ana.post(
        reverse("library:bulk", args=["trash"]), {"photos": photo.pk, "next": back}, follow=True
    )
    assert answer.redirect_chain == [(back, 302)]
    assert "1 photo moved to the trash." in answer.content.decode()


@pytest.mark.parametrize("next_url", ["https://evil.example/", "//evil.example/", "javascript:1"])
def test_no_form_leads_to_another_site(as_ana: Client, ana: User, next_url: str) -> None:
    fields = {"photos": a_photo(ana).pk, "next": next_url}
    answer = as_ana.post(reverse("library:bulk", args=["favourite"]), fields)
    assert answer.headers["Location"] == "/"
