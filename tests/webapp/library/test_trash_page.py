"""The trash."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.factories import a_photo, a_user
from webapp.accounts.models import User

pytestmark = pytest.mark.django_db

TRASH = reverse("library:trash")


def test_the_trash_says_how_long_each_photo_stays(as_ana: Client, ana: User) -> None:
    a_photo(ana, trashed_at=timezone.now() - timedelta(days=28, hours=12))
    a_photo(ana, trashed_at=timezone.now() - timedelta(hours=1))
    a_photo(ana, trashed_at=timezone.now() - timedelta(days=31))
    page = as_ana.get(TRASH).content.decode()
    for words in ("2 days left", "30 days left", "Deleted for good soon"):
        assert words in page


def test_the_trash_holds_ones_own_trashed_photos_only(as_ana: Client, ana: User) -> None:
    a_photo(ana)
    a_photo(a_user("bob"), trashed_at=timezone.now())
    trashed = a_photo(ana, trashed_at=timezone.now())
    assert [tile.id for tile in as_ana.get(TRASH).context["tiles"]] == [trashed.pk]


def test_an_empty_trash_says_what_it_is_for(as_ana: Client) -> None:
    assert "The trash is empty" in as_ana.get(TRASH).content.decode()


@pytest.mark.parametrize("count", [2, 50])
def test_queries_do_not_grow_with_photos(
    as_ana: Client, ana: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(count):
        a_photo(ana, with_thumbnails=False, trashed_at=timezone.now())
    with django_assert_num_queries(
        7
    ):  # session, user, photos, version, captions, tags, their number
        assert len(as_ana.get(TRASH).context["tiles"]) == count
