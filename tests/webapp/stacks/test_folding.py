"""Stacks in the library, in results and on the photo page: one tile with a number on it."""

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import a_photo, a_sight, a_stack, a_user
from webapp.accounts.models import User
from webapp.find.query.embedding import embed_query
from webapp.library.models import Photo
from webapp.library.services.favourites import set_favourite
from webapp.library.services.trash import trash_photos
from webapp.stacks.services import choose_folding
from webapp.teach.services import active_version

pytestmark = pytest.mark.django_db

PAGE, MONTHS, TILES = (reverse(f"library:{name}") for name in ("page", "months", "tiles"))
SEARCH = reverse("find:page")
DAY = datetime(2024, 6, 30, tzinfo=UTC)


@pytest.fixture
def photos(ana: User) -> list[Photo]:
    """Five dogs, the newest first; the second, third and fourth are a stack, the third its best."""
    dog = embed_query(active_version(), "a dog")
    made = [
        a_photo(ana, with_thumbnails=False, taken_at=DAY - timedelta(days=number))
        for number in range(5)
    ]
    for photo in made:
        a_sight(photo, embedding=dog)
    a_stack(made[2], made[1], made[3])
    return made


def shown(as_ana: Client, address: str, **asked: str) -> list[tuple[int, int]]:
    """(Index among `photos`, number on it) of each tile."""
    answer = as_ana.get(address, asked)
    first = Photo.objects.order_by("pk").first()
    assert first is not None
    return [(tile.id - first.pk, tile.stack_size) for tile in answer.context["tiles"]]


def in_months(as_ana: Client) -> list[int]:
    months = as_ana.get(MONTHS).json()["months"]
    return [photo_id for month in months for photo_id in month["ids"]]


def test_the_library_shows_the_best_of_a_stack_and_how_many_there_are(
    as_ana: Client, photos: list[Photo]
) -> None:
    folded = [photos[0].pk, photos[2].pk, photos[4].pk]
    assert shown(as_ana, PAGE) == [(0, 0), (2, 3), (4, 0)]
    assert in_months(as_ana) == folded
    tiles = as_ana.get(TILES, {"photos": ",".join(map(str, folded))}).json()["tiles"]
    assert {tile["id"]: tile["stack_size"] for tile in tiles} == dict(
        zip(folded, (0, 3, 0), strict=True)
    )
    assert "3 photos in this stack" in as_ana.get(PAGE).content.decode()


def test_a_person_may_unfold_all_of_theirs(as_ana: Client, ana: User, photos: list[Photo]) -> None:
    choose_folding(a_user("bob"), unfold=True)
    assert len(in_months(as_ana)) == 3
    as_ana.post(reverse("stacks:folding"), {})
    assert shown(as_ana, PAGE) == [(number, 0) for number in range(5)]
    assert len(in_months(as_ana)) == 5
    assert len(shown(as_ana, SEARCH, q="a dog", more="1")) == 5
    as_ana.post(reverse("stacks:folding"), {"fold": "on"})
    assert len(in_months(as_ana)) == 3


def test_the_next_best_takes_the_place_of_one_that_goes(
    as_ana: Client, photos: list[Photo]
) -> None:
    trash_photos(Photo.objects.filter(pk=photos[2].pk))
    assert shown(as_ana, PAGE) == [(0, 0), (1, 2), (4, 0)]
    trash_photos(Photo.objects.filter(pk=photos[1].pk))
    assert shown(as_ana, PAGE) == [(0, 0), (3, 0), (4, 0)]  # alone it is no stack any more


def test_results_hold_one_of_a_stack(as_ana: Client, photos: list[Photo]) -> None:
    found = shown(as_ana, SEARCH, q="a dog", more="1")
    assert len(found) == 3
    assert [size for number, size in found if number in (1, 2, 3)] == [3]


def test_of_a_stack_the_one_that_fits_the_conditions_is_shown(
    as_ana: Client, photos: list[Photo]
) -> None:
    set_favourite(Photo.objects.filter(pk__in=[photos[3].pk, photos[1].pk]), True)
    answer = as_ana.get(SEARCH, {"q": "is:favourite"})
    assert [tile.id for tile in answer.context["tiles"]] == [photos[1].pk]
    assert answer.context["page"].total == 1


def test_what_is_like_an_example_holds_one_of_a_stack(
    as_ana: Client, photos: list[Photo], valkey: None
) -> None:
    assert len(shown(as_ana, SEARCH, like=str(photos[0].pk))) == 2


def test_similar_photos_hold_one_of_a_stack(as_ana: Client, photos: list[Photo]) -> None:
    found = shown(as_ana, reverse("find:similar", args=[photos[0].pk]))
    assert len(found) == 2
    assert [size for number, size in found if number in (1, 2, 3)] == [3]


def test_the_photo_page_walks_over_stacks_and_shows_what_is_in_one(
    as_ana: Client, photos: list[Photo]
) -> None:
    page = as_ana.get(reverse("library:photo", args=[photos[0].pk]))
    assert page.context["trail"].neighbours.next == photos[2].pk
    address = reverse("stacks:photo", args=[photos[1].pk])
    assert (
        f'hx-get="{address}"'
        in as_ana.get(reverse("library:photo", args=[photos[1].pk])).content.decode()
    )
    strip = as_ana.get(address)
    assert [tile.id for tile in strip.context["tiles"]] == [photos[n].pk for n in (2, 1, 3)]
    assert "3 photos in this stack" in unescape(strip.content.decode())
    assert b"stack" not in as_ana.get(reverse("stacks:photo", args=[photos[0].pk])).content


def test_folding_costs_no_query_more(as_ana: Client, ana: User) -> None:
    def queries(address: str, **asked: str) -> int:
        as_ana.get(address, asked)  # follows the index
        with CaptureQueriesContext(connection) as captured:
            as_ana.get(address, asked)
        return len(captured)

    asked = [(PAGE, {}), (MONTHS, {}), (SEARCH, {"q": "-none"}), (SEARCH, {"q": "a dog"})]
    dog = embed_query(active_version(), "a dog")
    for _ in range(2):
        a_sight(a_photo(ana, with_thumbnails=False), embedding=dog)
    few = [queries(address, **fields) for address, fields in asked]
    for _ in range(4):
        pair = [a_photo(ana, with_thumbnails=False) for _ in range(2)]
        for photo in pair:
            a_sight(photo, embedding=dog)
        a_stack(*pair)
    assert [queries(address, **fields) for address, fields in asked] == few
    assert few[1] == 3  # session, user, photos
