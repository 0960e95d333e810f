"""Albums: made, filled, found, renamed and deleted, each by their owner alone."""

import json
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from tests.factories import a_photo, a_user
from webapp.accounts.models import User
from webapp.albums.models import Album
from webapp.albums.services import (
    add_photos,
    albums_of,
    create_album,
    delete_album,
    photos_in,
    put_into,
    remove_photos,
    rename_album,
)
from webapp.errors import Conflict, Refused
from webapp.find.services import find_photos
from webapp.library.models import Photo
from webapp.library.services.trash import delete_photos, trash_photos

pytestmark = pytest.mark.django_db


def these(*photos: Photo) -> Any:
    return Photo.objects.filter(pk__in=[photo.pk for photo in photos])


def album_of(user: User, name: str, *photos: Photo) -> Album:
    album = create_album(user, name)
    put_into(album, these(*photos))
    return album


def do(client: Client, action: str, *photos: Photo, **fields: str) -> dict[str, Any]:
    answer = client.post(
        reverse("library:bulk", args=[action]),
        {"photos": ",".join(str(photo.pk) for photo in photos), **fields},
        headers={"accept": "application/json"},
    )
    assert answer.status_code == 200, answer.content
    return answer.json()


def found(user: User, text: str) -> list[Photo]:
    return [each.photo for each in find_photos(user, text).found]


# --- What albums do ---


def test_photos_of_an_album_are_found_by_its_name_with_the_reason(ana: User) -> None:
    photo, _other = a_photo(ana), a_photo(ana)
    album_of(ana, "Italy 2019", photo)

    (first,) = find_photos(ana, "italy").found
    assert first.photo == photo
    assert first.reasons == ("in album ‘Italy 2019’",)
    assert found(ana, '"italy 2019"') == [photo]


def test_a_renamed_album_is_found_by_its_new_name_alone(ana: User) -> None:
    photo = a_photo(ana)
    album = album_of(ana, "Italy", photo)

    rename_album(ana, album, "  Toskana \n in May ")

    assert Album.objects.get().name == "Toskana in May"
    assert (found(ana, '"italy"'), found(ana, '"toskana"')) == ([], [photo])


def test_deleting_an_album_leaves_its_photos(ana: User) -> None:
    photo = a_photo(ana)
    album = album_of(ana, "Italy", photo)

    assert delete_album(album) == 1

    assert not Album.objects.exists()
    assert Photo.objects.get() == photo
    assert found(ana, '"italy"') == []


def test_a_photo_is_in_an_album_once_and_may_be_in_several(ana: User) -> None:
    photo = a_photo(ana)
    for name in ("Italy", "italy", "Best of"):
        add_photos(ana, these(photo), name)

    assert [(each.album.name, each.photos) for each in albums_of(ana)] == [
        ("Best of", 1),
        ("Italy", 1),
    ]
    assert remove_photos(ana, these(photo), "ITALY") == 1
    assert remove_photos(ana, these(photo), "no such album") == 0
    assert found(ana, '"italy"') == []


def test_the_cover_is_the_newest_photo_in_the_library(ana: User) -> None:
    older, newer = a_photo(ana), a_photo(ana)
    album = album_of(ana, "Italy", newer, older)
    assert albums_of(ana)[0].cover == newer

    trash_photos(these(newer))
    (shown,) = albums_of(ana)
    assert (shown.cover, shown.photos) == (older, 1)
    assert list(photos_in(ana, album)) == [older]

    trash_photos(these(older))
    delete_photos(these(older, newer))
    (shown,) = albums_of(ana)
    assert (shown.cover, shown.photos) == (None, 0)


def test_two_people_may_use_the_same_name_and_share_nothing(ana: User) -> None:
    ben = a_user("ben")
    mine, theirs = a_photo(ana), a_photo(ben)
    album_of(ana, "Italy", mine, theirs)
    add_photos(ben, these(theirs), "Italy")

    assert found(ana, "italy") == [mine]
    assert [(each.photos, each.cover) for each in albums_of(ben)] == [(1, theirs)]


@pytest.mark.parametrize("name", ["", "  \n ", "\u202e\u200b", "\u200d", "x" * 101])
def test_a_name_that_is_none_is_refused(ana: User, name: str) -> None:
    with pytest.raises(Refused):
        create_album(ana, name)


def test_a_name_is_taken_once_however_it_is_written(ana: User) -> None:
    create_album(ana, "Italy")
    other = create_album(ana, "Spain")

    with pytest.raises(Conflict):
        create_album(ana, "ITALY")
    with pytest.raises(Conflict):
        rename_album(ana, other, "italy")
    rename_album(ana, other, "SPAIN")  # its own name may change its capitals
    assert Album.objects.get(pk=other.pk).name == "SPAIN"


@given(st.text(max_size=120))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name_makes_an_album_or_a_sentence(ana: User, name: str) -> None:
    try:
        create_album(ana, name)
    except Refused:
        assert not Album.objects.exists()
    else:
        assert Album.objects.get().name.strip()
        Album.objects.all().delete()


# --- Pages ---


def test_the_albums_page_shows_names_counts_and_covers(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana)
    album_of(ana, "<b>Italy</b> & co", photo)
    create_album(ana, "Empty")

    page = as_ana.get(reverse("albums:list")).content.decode()

    assert "&lt;b&gt;Italy&lt;/b&gt; &amp; co" in page
    assert "<b>Italy" not in page
    assert "1 photo<" in page
    assert "0 photos<" in page
    assert f"/photos/{photo.pk}/thumbnail/small" in page


def test_the_number_of_queries_does_not_depend_on_the_albums(
    as_ana: Client, ana: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    album_of(ana, "First", a_photo(ana))
    as_ana.get(reverse("albums:list"))
    with django_assert_num_queries(4):  # session, user, albums, covers
        as_ana.get(reverse("albums:list"))
    for number in range(5):
        album_of(ana, f"Album {number}", a_photo(ana))
    with django_assert_num_queries(4):
        as_ana.get(reverse("albums:list"))


def test_an_album_is_made_renamed_and_deleted_from_its_pages(as_ana: Client, ana: User) -> None:
    made = as_ana.post(reverse("albums:create"), {"album": "Italy"})
    album = Album.objects.get()
    assert made.headers["Location"] == reverse("albums:album", args=[album.pk])
    assert "This album is empty" in as_ana.get(made.headers["Location"]).content.decode()

    as_ana.post(reverse("albums:rename", args=[album.pk]), {"album": "Spain"})
    assert Album.objects.get().name == "Spain"

    told = as_ana.post(reverse("albums:delete", args=[album.pk]), follow=True)
    assert "The album “Spain” was deleted" in unescape(told.content.decode())
    assert not Album.objects.exists()


def test_a_taken_name_is_told_in_a_sentence(as_ana: Client, ana: User) -> None:
    create_album(ana, "Italy")
    answer = as_ana.post(reverse("albums:create"), {"album": "Italy"})
    assert answer.status_code == 409
    assert "There is an album called “Italy” already" in unescape(answer.content.decode())


def test_selected_photos_go_into_an_album_and_out_again(as_ana: Client, ana: User) -> None:
    first, second = a_photo(ana), a_photo(ana)
    theirs = a_photo(a_user())
    album_of(ana, "Italy", first)

    told = do(as_ana, "album", first, second, theirs, album="italy")
    assert told["message"] == "2 photos put into the album."
    assert told["undo"] == {"action": "unalbum", "photos": [second.pk]}

    told = do(as_ana, "unalbum", first, album="Italy")
    assert told["message"] == "1 photo taken out of the album."
    assert told["undo"] == {"action": "album", "photos": [first.pk]}
    assert list(photos_in(ana, Album.objects.get())) == [second]
    assert as_ana.get(reverse("albums:names")).json() == {"names": ["Italy"]}


def test_a_photo_page_walks_along_its_album(as_ana: Client, ana: User) -> None:
    photos = [a_photo(ana) for _ in range(4)]
    album = album_of(ana, "Italy", photos[0], photos[3])
    page = as_ana.get(reverse("albums:album", args=[album.pk])).content.decode()
    address = f"{reverse('library:photo', args=[photos[3].pk])}?album={album.pk}"
    assert address in page

    shown = as_ana.get(address).content.decode()

    assert f"{reverse('library:photo', args=[photos[0].pk])}?album={album.pk}" in shown
    assert f"{reverse('albums:album', args=[album.pk])}#photo-{photos[3].pk}" in shown


def test_a_photo_page_names_its_albums(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana)
    album = album_of(ana, "Italy", photo)
    page = as_ana.get(reverse("library:photo", args=[photo.pk])).content.decode()
    address = reverse("albums:album", args=[album.pk])
    assert f'href="{address}" dir="auto">Italy</a>' in page


# --- The API ---


def test_programs_make_fill_read_and_delete_albums(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana)

    def send(method: str, path: str, **body: Any) -> Any:
        answer = getattr(as_ana, method)(
            f"/api/v1/albums{path}", json.dumps(body), content_type="application/json"
        )
        return answer.status_code, answer.json()

    status, album = send("post", "", name="Italy")
    assert (status, album["name"], album["photos"], album["cover"]) == (201, "Italy", 0, None)
    one = f"/{album['id']}"
    assert send("post", f"{one}/add", ids=[photo.pk]) == (200, {"changed": 1})
    listed = as_ana.get(f"/api/v1/albums{one}").json()
    assert [each["id"] for each in listed["photos"]] == [photo.pk]
    assert as_ana.get("/api/v1/albums").json()["albums"][0]["cover"] == photo.pk
    assert send("patch", one, name="Spain")[1]["name"] == "Spain"
    assert send("post", f"{one}/remove", ids=[photo.pk]) == (200, {"changed": 1})
    assert send("delete", one) == (200, {"changed": 0})
    assert as_ana.get("/api/v1/albums").json() == {"albums": []}
