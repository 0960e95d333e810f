"""The library page and the JSON behind it."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tests.factories import a_photo, a_sight, a_user
from webapp.accounts.models import User
from webapp.library.models import Photo
from webapp.library.services.trash import trash_photos

pytestmark = pytest.mark.django_db

MONTHS = reverse("library:months")
TILES = reverse("library:tiles")
PAGE = reverse("library:page")


def rows(owner: User, count: int, *, hours_apart: float = 7) -> None:
    """Photos that are rows only, taken one after the other, ending in November 2026."""
    newest = datetime(2026, 11, 20, tzinfo=UTC)
    Photo.objects.bulk_create(
        [
            Photo(
                owner=owner,
                sha256=f"{number:064x}",
                file_name=f"IMG_{number:05}.jpg",
                media_type="image/jpeg",
                size_bytes=3_000_000,
                width=4000,
                height=3000 if number % 3 else 6000,
                shown_at=newest - timedelta(hours=hours_apart * number),
                state=Photo.State.READY,
                placeholder=b"0" * 100,
            )
            for number in range(count)
        ],
        batch_size=2_000,
    )


def test_months_hold_the_whole_library_in_its_order(as_ana: Client, ana: User) -> None:
    december = a_photo(ana, taken_at=datetime(2023, 12, 31, 23, 59, tzinfo=UTC))
    early, late = (a_photo(ana, taken_at=datetime(2024, 1, d, tzinfo=UTC)) for d in (1, 31))
    assert as_ana.get(MONTHS).json()["months"] == [
        {"month": "2024-01", "ids": [late.pk, early.pk], "ratios": [133, 133]},
        {"month": "2023-12", "ids": [december.pk], "ratios": [133]},
    ]


def test_photos_of_one_moment_keep_one_order(as_ana: Client, ana: User) -> None:
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    first, second = a_photo(ana, taken_at=moment), a_photo(ana, taken_at=moment)
    assert as_ana.get(MONTHS).json()["months"][0]["ids"] == [second.pk, first.pk]


def test_months_leave_out_the_trash_and_other_people(as_ana: Client, ana: User) -> None:
    a_photo(a_user("bob"))
    trashed = a_photo(ana)
    trash_photos(Photo.objects.filter(pk=trashed.pk))
    assert as_ana.get(MONTHS).json() == {"months": []}


def test_a_library_of_fifty_thousand_is_one_query_and_a_small_answer(
    as_ana: Client, ana: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    rows(ana, 50_000, hours_apart=1.5)
    with django_assert_num_queries(3):  # session, user, photos
        answer = as_ana.get(MONTHS, headers={"accept-encoding": "gzip"})
    months = json.loads(gzip.decompress(answer.content))["months"]
    assert sum(len(month["ids"]) for month in months) == 50_000
    assert months[0]["month"] == "2026-11"
    assert len(answer.content) < 250_000


@pytest.mark.parametrize("count", [2, 50])
def test_tiles_cost_the_same_queries_for_many_as_for_few(
    as_ana: Client, ana: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    rows(ana, count)
    ids = ",".join(map(str, Photo.objects.values_list("pk", flat=True)))
    with django_assert_num_queries(6):  # session, user, photos, which version, captions, tags
        tiles = as_ana.get(TILES, {"photos": ids}).json()["tiles"]
    assert len(tiles) == count


@pytest.mark.parametrize("count", [2, 50])
def test_the_page_costs_the_same_queries_for_many_as_for_few(
    as_ana: Client, ana: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    rows(ana, count)
    with django_assert_num_queries(6):
        page = as_ana.get(PAGE).content.decode()
    assert page.count('class="tile"') == count + 1  # and the template of further ones


def test_a_tile_tells_what_a_grid_shows(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana, is_favourite=True, placeholder=b"tiny")
    a_sight(photo, caption="two dogs on a beach")
    [tile] = as_ana.get(TILES, {"photos": photo.pk}).json()["tiles"]
    assert tile["alt"] == "two dogs on a beach"
    assert tile["is_favourite"] is True
    assert tile["placeholder"] == "data:image/webp;base64,dGlueQ=="
    assert tile["thumbnail"].endswith(f"/small?v={photo.sha256[:12]}")
    assert as_ana.get(tile["thumbnail"]).headers["Content-Type"] == "image/webp"


def test_a_photo_without_words_is_named_by_its_date(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana, taken_at=datetime(2024, 3, 9, tzinfo=UTC))
    [tile] = as_ana.get(TILES, {"photos": photo.pk}).json()["tiles"]
    assert tile["alt"] == "Photo of 9 March 2024"


def test_a_waiting_photo_has_no_thumbnail_until_it_is_ready(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana, state=Photo.State.WAITING)
    [tile] = as_ana.get(TILES, {"photos": photo.pk}).json()["tiles"]
    assert (tile["state"], tile["thumbnail"]) == ("waiting", "")
    a_sight(photo)
    [tile] = as_ana.get(TILES, {"photos": photo.pk}).json()["tiles"]
    assert tile["state"] == "ready"
    assert tile["thumbnail"]


def test_tiles_of_others_and_of_nobody_are_left_out_alike(as_ana: Client, ana: User) -> None:
    mine, theirs = a_photo(ana), a_photo(a_user("bob"))
    asked = as_ana.get(TILES, {"photos": f"{mine.pk},{theirs.pk},{10**17}"})
    assert [tile["id"] for tile in asked.json()["tiles"]] == [mine.pk]


@pytest.mark.parametrize("photos", ["", ",", "one", "1;2", "-1", "1" * 19, "١"])
def test_ids_that_are_none_are_refused_in_words(as_ana: Client, photos: str) -> None:
    answer = as_ana.get(TILES, {"photos": photos}, headers={"accept": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "photos"


def test_too_many_tiles_at_once_are_refused(as_ana: Client) -> None:
    ids = ",".join(map(str, range(201)))
    answer = as_ana.get(TILES, {"photos": ids}, headers={"accept": "application/json"})
    assert answer.status_code == 413
    assert "at most 200" in answer.json()["error"]["message"]


def test_an_empty_library_invites_to_upload(as_ana: Client) -> None:
    page = as_ana.get(PAGE).content.decode()
    assert "Your library is empty" in page
    assert reverse("library:upload") in page


def test_without_scripts_the_library_is_leafed_through(as_ana: Client, ana: User) -> None:
    rows(ana, 130)
    seen: list[int] = []
    address = PAGE
    while address:
        page = as_ana.get(address)
        seen += [tile.id for tile in page.context["tiles"]]
        cursor = page.context["next"]
        address = f"{PAGE}?cursor={cursor}" if cursor else ""
    assert seen == list(Photo.objects.newest_first().values_list("pk", flat=True))


def test_a_cursor_of_somebody_elses_making_is_refused(as_ana: Client, ana: User) -> None:
    assert as_ana.get(PAGE, {"cursor": "2024-01-01:1"}).status_code == 400


def test_hostile_captions_are_shown_as_text(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana, own_caption='"><script>alert(1)</script>')
    page = as_ana.get(PAGE).content.decode()
    assert "<script>alert" not in page
    assert f'id="photo-{photo.pk}"' in page
