"""The search page and the page of similar photos."""

from datetime import UTC, datetime
from html import unescape

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from search.cutoff import nearest_to
from search.words import content_words
from tests.factories import a_photo, a_sight, a_user, an_embedding
from webapp.accounts.models import User
from webapp.find.query.embedding import embed_query, known_words
from webapp.library.models import Photo
from webapp.teach.corrections.saying import add_tag
from webapp.teach.services import active_version

pytestmark = pytest.mark.django_db

SEARCH = reverse("find:page")


def found(as_ana: Client, text: str, **more: str) -> str:
    answer = as_ana.get(SEARCH, {"q": text, **more})
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def look_of(word: str) -> np.ndarray:
    """The embedding of a photo that shows a word whose look was learned."""
    version = active_version()
    asked = known_words(version).asked(content_words(word))
    return nearest_to(embed_query(version, word), asked)


def test_a_tag_by_a_person_is_believed_whatever_the_photo_looks_like(
    as_ana: Client, ana: User
) -> None:
    photo = a_photo(ana)
    a_sight(photo, embedding=-look_of("dog"))
    for other in range(3):
        a_sight(a_photo(ana), embedding=an_embedding(other))
    add_tag(ana, Photo.objects.filter(pk=photo.pk), "dog")
    page = found(as_ana, "dog")
    assert "1 photo found" in page
    assert f'data-id="{photo.pk}"' in page
    assert "tagged dog" in page


def test_the_box_keeps_the_query(as_ana: Client) -> None:
    assert 'name="q" value="two "dogs""' in found(as_ana, 'two "dogs"')


def test_favourites_are_a_search(as_ana: Client, ana: User) -> None:
    favourite, _ = a_photo(ana, is_favourite=True), a_photo(ana)
    page = found(as_ana, "is:favourite")
    assert '<h1 class="found-title">Favourites</h1>' in page
    assert page.count('class="tile ') == 1
    assert f'href="/photos/{favourite.pk}/?q=is%3Afavourite"' in page


def test_words_find_and_say_why(as_ana: Client, ana: User) -> None:
    photo, other = a_photo(ana), a_photo(ana)
    embedding = look_of("dog")
    a_sight(photo, embedding=embedding, caption="a dog in the garden", tags=[("dog", 0.95)])
    a_sight(other, embedding=-embedding)
    page = found(as_ana, "dog")
    assert "1 photo found" in page
    assert f'data-id="{photo.pk}"' in page
    assert "tagged dog" in page
    page = found(as_ana, "dog", more="1")
    assert f'data-id="{other.pk}"' in page
    assert "less likely" in page


def test_what_is_not_there_is_said_before_the_nearest(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana)
    a_sight(photo, embedding=-embed_query(active_version(), "zebra"))
    page = found(as_ana, "zebra")
    assert "Nothing here surely shows “zebra”" in page
    assert "found-count" not in page
    assert f'data-id="{photo.pk}"' in page
    assert "the likeliest first" in page
    assert "less likely" not in page  # all of them are; the sentence above says it once


def test_the_nearest_to_a_description_are_an_answer(as_ana: Client, ana: User) -> None:
    photo, asked = a_photo(ana), "two zebras running on a beach"
    a_sight(photo, embedding=-embed_query(active_version(), asked))
    page = found(as_ana, asked)
    assert f"Nearest to “{asked}”" in page
    assert "none surely shows all of it" in page
    assert "Nothing here surely shows" not in page
    assert f'data-id="{photo.pk}"' in page


def test_when_photos_are_from_is_said_where_none_is_from_then(as_ana: Client, ana: User) -> None:
    for year in (2016, 2021):
        a_photo(ana, taken_at=datetime(year, 5, 1, tzinfo=UTC))
    a_photo(a_user(), taken_at=datetime(1999, 5, 1, tzinfo=UTC))
    page = found(as_ana, "1985")
    assert "None of your photos fits this condition. Your photos are from 2016 to 2021." in page
    assert "All of the conditions must hold" in found(as_ana, "tag:dog 1985")
    assert "Your photos are from" not in found(as_ana, "tag:dog")


def test_without_photos_a_search_leads_to_the_upload(as_ana: Client) -> None:
    a_photo(a_user())
    assert "Your library is empty" in found(as_ana, "dog")
    assert "Your library is empty" in found(as_ana, "")


def test_an_empty_search_shows_how(as_ana: Client, ana: User) -> None:
    a_sight(a_photo(ana), tags=[("sailboat", 0.9)])
    page = found(as_ana, "")
    assert "What are you looking for?" in page
    assert f'href="{SEARCH}?q=sailboat"' in page


def test_no_match_offers_what_there_is(as_ana: Client, ana: User) -> None:
    a_sight(a_photo(ana), tags=[("sailboat", 0.9)])
    page = found(as_ana, "tag:zebra")
    assert "No photo matches" in page
    assert "sailboat" in page


def test_favourites_that_are_not_there_yet_are_explained(as_ana: Client) -> None:
    assert "No favourites yet" in found(as_ana, "is:favourite")


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_000,
        "?!…,;",
        "🐕 на пляже 海",
        '"unclosed',
        "-",
        "\x00",
        "<script>alert(1)</script>",
    ],
)
def test_any_text_is_a_query(as_ana: Client, ana: User, text: str) -> None:
    a_photo(ana)
    answer = as_ana.get(SEARCH, {"q": text})
    assert answer.status_code == 200
    assert b"<script>alert" not in answer.content


def test_results_go_on_where_the_page_ended(as_ana: Client, ana: User) -> None:
    for _ in range(70):
        a_photo(ana, is_favourite=True, with_thumbnails=False)
    first = as_ana.get(SEARCH, {"q": "is:favourite"})
    further = as_ana.get(first.context["next_url"], headers={"HX-Request": "true"})
    ids = [tile.id for answer in (first, further) for tile in answer.context["tiles"]]
    assert ids == list(Photo.objects.newest_first().values_list("pk", flat=True))
    text = further.content.decode()
    assert "<html" not in text
    assert 'id="found-next" hx-swap-oob="true"' in text


@pytest.mark.parametrize("offset", ["-1", "many", "99999999999"])
def test_a_place_that_is_none_is_refused(as_ana: Client, offset: str) -> None:
    assert as_ana.get(SEARCH, {"q": "dog", "offset": offset}).status_code == 400


@pytest.mark.parametrize("count", [2, 50])
def test_queries_do_not_grow_with_results(
    as_ana: Client, ana: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(count):
        a_photo(ana, is_favourite=True, with_thumbnails=False)
    # Session, user, their number, photos, which version, captions, tags; what is remembered, and
    # remembering it.
    with django_assert_num_queries(9):
        assert found(as_ana, "is:favourite").count('class="tile ') == count


def test_similar_photos_are_a_page_and_a_strip(as_ana: Client, ana: User) -> None:
    photo, like, unlike = a_photo(ana), a_photo(ana), a_photo(ana)
    a_sight(photo, embedding=an_embedding(seed=1))
    a_sight(like, embedding=an_embedding(seed=1))
    a_sight(unlike, embedding=an_embedding(seed=2))
    a_sight(a_photo(a_user("bob")), embedding=an_embedding(seed=1))
    address = reverse("find:similar", args=[photo.pk])
    page = as_ana.get(address)
    assert [tile.id for tile in page.context["tiles"]] == [like.pk, unlike.pk]
    strip = as_ana.get(address, headers={"HX-Request": "true"}).content.decode()
    assert f'href="/photos/{like.pk}/?similar={photo.pk}"' in strip
    assert "<html" not in strip


def test_similar_photos_are_walked_along(as_ana: Client, ana: User) -> None:
    photos = [a_photo(ana) for _ in range(3)]
    for photo in photos:
        a_sight(photo, embedding=an_embedding(seed=1))
    first = as_ana.get(reverse("find:similar", args=[photos[0].pk])).context["tiles"][0]
    trail = as_ana.get(first.url).context["trail"]
    assert trail.next_url.endswith(f"?similar={photos[0].pk}")
    assert trail.back_url.startswith(reverse("find:similar", args=[photos[0].pk]))


def test_a_query_of_a_megabyte_is_not_repeated_in_every_address(as_ana: Client, ana: User) -> None:
    a_photo(ana, is_favourite=True)
    page = found(as_ana, "is:favourite" + " " * 1_000_000)
    assert 'class="tile ' in page
    assert len(page) < 200_000
