"""The page of one photo."""

import re
from datetime import UTC, datetime
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.factories import a_photo, a_sight, a_user
from webapp.accounts.models import User
from webapp.albums.models import PhotoFolder
from webapp.albums.services import create_album
from webapp.find.index.documents import index_photos
from webapp.library.models import Photo
from webapp.library.services.trash import trash_photos
from webapp.teach import reading

pytestmark = pytest.mark.django_db


def address(photo: Photo, query: str = "") -> str:
    return reverse("library:photo", args=[photo.pk]) + query


def shown(as_ana: Client, photo: Photo, query: str = "") -> str:
    answer = as_ana.get(address(photo, query))
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_the_caption_is_text_and_alternative_text(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana)
    a_sight(photo, caption="two dogs on a beach")
    page = shown(as_ana, photo)
    assert 'alt="two dogs on a beach"' in page
    assert "<title>Two dogs on a beach · Marea</title>" in page
    assert '<p class="caption-text">two dogs on a beach</p>' in page


def test_a_persons_caption_outranks_the_models(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana, own_caption="Rex and Bella")
    a_sight(photo, caption="two dogs on a beach")
    assert 'alt="Rex and Bella"' in shown(as_ana, photo)


def test_what_the_file_says_is_shown(as_ana: Client, ana: User) -> None:
    photo = a_photo(
        ana,
        taken_at=datetime(2024, 3, 9, 14, 5, tzinfo=UTC),
        camera="Canon EOS 90D",
        lens="EF 50mm",
        latitude=-33.8568,
        longitude=151.2153,
        width=6000,
        height=4000,
        size_bytes=5_000_000,
    )
    page = shown(as_ana, photo)
    for fact in ("9 March 2024, 14:05", "Canon EOS 90D", "EF 50mm", "6000 × 4000", "24.0 mega"):
        assert fact in page
    map_url = "openstreetmap.org/?mlat=-33.85680&mlon=151.21530#map=15/-33.85680/151.21530"
    assert map_url in page


def test_the_cameras_clock_is_shown_wherever_marea_runs(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana, taken_at=datetime(2024, 12, 31, 23, 30, tzinfo=UTC))
    with timezone.override("Asia/Tokyo"):
        page = shown(as_ana, photo)
    assert "31 December 2024, 23:30" in page


def test_a_photo_without_a_place_has_no_map_link(as_ana: Client, ana: User) -> None:
    assert "openstreetmap" not in shown(as_ana, a_photo(ana))


def test_hostile_names_are_shown_as_text(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana, file_name="<img src=x onerror=alert(1)>.jpg", camera="<b>x</b>")
    page = as_ana.get(address(photo)).content.decode()
    assert "<img src=x" not in page
    assert "<b>x</b>" not in page


def test_neighbours_are_those_of_the_library(as_ana: Client, ana: User) -> None:
    oldest, middle, newest = (
        a_photo(ana, taken_at=datetime(2024, 1, day, tzinfo=UTC)) for day in (1, 2, 3)
    )
    trashed = a_photo(ana, taken_at=datetime(2024, 1, 2, 1, tzinfo=UTC))
    trash_photos(Photo.objects.filter(pk=trashed.pk))
    a_photo(a_user("bob"), taken_at=datetime(2024, 1, 2, 2, tzinfo=UTC))
    trail = as_ana.get(address(middle)).context["trail"]
    assert trail.previous_url == address(newest)
    assert trail.next_url == address(oldest)
    assert as_ana.get(address(newest)).context["trail"].previous_url == ""
    assert as_ana.get(address(oldest)).context["trail"].next_url == ""


def test_neighbours_thumbnails_are_fetched_ahead(as_ana: Client, ana: User) -> None:
    newer, here, older = (
        a_photo(ana, taken_at=datetime(2024, 1, day, tzinfo=UTC)) for day in (3, 2, 1)
    )
    preload = as_ana.get(address(here)).context["preload"]
    assert {url.split("/")[2] for url in preload} == {str(newer.pk), str(older.pk)}
    assert all(as_ana.get(url).status_code == 200 for url in preload)


def test_neighbours_of_one_moment_are_all_visited(as_ana: Client, ana: User) -> None:
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    photos = [a_photo(ana, taken_at=moment) for _ in range(4)]
    visited, here = [], address(photos[-1])
    while here:
        visited.append(here)
        here = as_ana.get(here).context["trail"].next_url
    assert visited == [address(photo) for photo in reversed(photos)]


def test_from_a_search_neighbours_are_those_of_its_results(as_ana: Client, ana: User) -> None:
    first, _, third = (
        a_photo(ana, taken_at=datetime(2024, 1, day, tzinfo=UTC), is_favourite=day != 2)
        for day in (1, 2, 3)
    )
    trail = as_ana.get(address(third, "?q=is:favourite")).context["trail"]
    assert trail.next_url == address(first, "?q=is%3Afavourite")
    assert trail.back_url.startswith(reverse("find:page") + "?q=is%3Afavourite")


def test_somebody_elses_similar_photos_are_no_trail(as_ana: Client, ana: User) -> None:
    theirs, mine = a_photo(a_user("bob")), a_photo(ana)
    asks_json = {"accept": "application/json"}
    unknown = as_ana.get(address(mine, f"?similar={10**17}"), headers=asks_json)
    foreign = as_ana.get(address(mine, f"?similar={theirs.pk}"), headers=asks_json)
    assert (unknown.status_code, unknown.content) == (foreign.status_code, foreign.content)
    assert unknown.status_code == 404


def test_htmx_gets_the_photo_alone(as_ana: Client, ana: User) -> None:
    answer = as_ana.get(address(a_photo(ana)), headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert 'id="photo"' in page
    assert "<html" not in page
    assert "HX-Request" in answer.headers["Vary"]


def test_a_failed_photo_says_why_and_offers_another_attempt(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana, state=Photo.State.FAILED, error="The file is truncated.")
    page = shown(as_ana, photo)
    assert "The file is truncated." in page
    assert reverse("library:bulk", args=["retry"]) in page


def test_a_waiting_photo_appears_by_itself(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana, state=Photo.State.WAITING)
    assert 'hx-trigger="every 3s"' in shown(as_ana, photo)


def test_its_folders_lead_to_the_photos_that_came_in_them(as_ana: Client, ana: User) -> None:
    photo, _ = a_photo(ana), a_photo(ana)
    PhotoFolder.objects.create(photo=photo, path="Travels/Rome & Lazio")
    index_photos([photo.pk])
    page = shown(as_ana, photo)
    (address,) = re.findall(r'href="([^"]+)"[^>]*>Rome & Lazio<', page)
    assert ">Travels</a> / " in page
    found = as_ana.get(address).context["tiles"]
    assert [tile.id for tile in found] == [photo.pk]


def test_it_is_put_into_an_album_and_taken_out_on_its_page(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana)
    create_album(a_user(), "Somebody else's")
    here = address(photo, "?q=dog")
    form = {"photos": photo.pk, "album": "<i>Rome</i>", "next": here}
    answer = as_ana.post(reverse("library:bulk", args=["album"]), form, follow=True)
    assert answer.redirect_chain == [(here, 302)]
    page = answer.content.decode()
    assert 'dir="auto">&lt;i&gt;Rome&lt;/i&gt;</a>' in page
    assert "Take the photo out of the album &lt;i&gt;Rome" in page
    assert "Somebody else" not in page
    answer = as_ana.post(reverse("library:bulk", args=["unalbum"]), form, follow=True)
    assert "Take the photo out" not in answer.content.decode()
    assert "<option value=" in answer.content.decode()  # the album is still there to choose


def test_in_the_trash_a_photo_can_be_restored_but_not_changed(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana)
    trash_photos(Photo.objects.filter(pk=photo.pk))
    page = shown(as_ana, photo)
    assert reverse("library:bulk", args=["restore"]) in page
    assert reverse("teach:tag", args=[photo.pk]) not in page


@pytest.mark.parametrize("tags", [2, 50])
def test_queries_do_not_grow_with_tags(
    as_ana: Client, ana: User, tags: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    photo = a_photo(ana)
    a_sight(photo, tags=[(f"tag {number}", 0.9) for number in range(tags)])
    # Session, user, photo, version, captions, tags, the text in it, its albums, the names of all,
    # two neighbours, what was said.
    with django_assert_num_queries(12):
        assert shown(as_ana, photo).count('class="chip"') == tags


def a_photo_that_says(owner: User, *lines: str) -> Photo:
    """A photo in which a worker has read these lines."""
    photo = a_photo(owner)
    a_sight(photo)
    assert reading.begin(photo)
    reading.store_text(photo, [(line, 0.9, (0.1, 0.1, 0.5, 0.1)) for line in lines])
    return photo


def test_the_text_in_a_photo_is_shown_as_text(as_ana: Client, ana: User) -> None:
    photo = a_photo_that_says(ana, "HOTEL", "<script>alert(1)</script>", "\u202eevil")
    page = as_ana.get(address(photo)).content.decode()

    assert "Text in the photo" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "<details" not in page[page.index("Text in the photo") :].split("</section>")[0]


def test_a_long_text_is_folded(as_ana: Client, ana: User) -> None:
    page = shown(as_ana, a_photo_that_says(ana, *["a page of a book"] * 40))
    section = page[page.index("Text in the photo") :].split("</section>")[0]
    assert "<details>" in section
    assert section.count("a page of a book") >= 40


def test_a_photo_without_text_has_no_such_part(as_ana: Client, ana: User) -> None:
    assert "Text in the photo" not in shown(as_ana, a_photo_that_says(ana))


def test_programs_read_the_text(as_ana: Client, ana: User) -> None:
    photo = a_photo_that_says(ana, "HOTEL", "ROMA")
    assert as_ana.get(f"/api/v1/photos/{photo.pk}").json()["text"] == "HOTEL\nROMA"
