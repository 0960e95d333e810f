"""More like this: photos of the library as examples, with words added and taken away."""

from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import a_photo, a_sight, a_user, an_embedding
from webapp.accounts.models import User
from webapp.find.query.embedding import embed_query
from webapp.library.models import Photo
from webapp.library.services.favourites import set_favourite
from webapp.library.services.trash import trash_photos
from webapp.teach.services import active_version

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

SEARCH = reverse("find:page")


def a_scene(owner: User, *texts: str) -> Photo:
    """A photo that looks like all of the texts at once."""
    photo = a_photo(owner, with_thumbnails=False)
    embedding = sum(embed_query(active_version(), text) for text in texts)
    embedding = embedding.copy()
    embedding[-1] = 0.0  # where texts have a constant, photos have next to nothing
    a_sight(photo, embedding=embedding / (embedding @ embedding) ** 0.5)
    return photo


def found(client: Client, **asked: str) -> list[int]:
    """All of it, also what is hardly of the same."""
    answer = client.get(SEARCH, {"more": "1", **asked})
    assert answer.status_code == 200
    return [tile.id for tile in answer.context["tiles"]]


@pytest.fixture
def dogs(ana: User) -> dict[str, Photo]:
    return {
        "beach": a_scene(ana, "a dog", "a beach"),
        "snow": a_scene(ana, "a dog", "snow"),
        "room": a_scene(ana, "a dog", "a room"),
        "car": a_scene(ana, "a red car in a street"),
        "snow alone": a_scene(ana, "snow on a mountain"),
    }


def test_the_most_alike_come_first_and_the_example_is_left_out(
    as_ana: Client, dogs: dict[str, Photo]
) -> None:
    ids = found(as_ana, like=str(dogs["beach"].pk))
    assert dogs["beach"].pk not in ids
    assert set(ids[:2]) == {dogs["snow"].pk, dogs["room"].pk}
    assert len(ids) == 4


def test_what_is_hardly_of_the_same_is_folded_under_less_likely(as_ana: Client, ana: User) -> None:
    first, again = (a_scene(ana, "a dog on a beach") for _ in range(2))
    other = a_scene(ana, "an office with computers")
    page = as_ana.get(SEARCH, {"like": str(first.pk)})
    assert [tile.id for tile in page.context["tiles"]] == [again.pk]
    assert (page.context["page"].confident, page.context["page"].hidden) == (1, 1)
    assert "Show more anyway" in page.content.decode()

    more = as_ana.get(page.context["more_url"])
    tiles = more.context["tiles"]
    assert [tile.id for tile in tiles] == [again.pk, other.pk]
    assert [tile.reasons.startswith("less likely") for tile in tiles] == [False, True]
    walked = as_ana.get(tiles[0].url).context["trail"]
    assert walked.next_url == tiles[1].url
    assert "more=1" in walked.back_url


def test_where_nothing_is_surely_of_the_same_the_page_says_so(as_ana: Client, ana: User) -> None:
    dog, office = a_scene(ana, "a dog on a beach"), a_scene(ana, "an office with computers")
    page = as_ana.get(SEARCH, {"like": str(dog.pk)})
    assert [tile.id for tile in page.context["tiles"]] == [office.pk]
    assert page.context["page"].confident == 0
    assert "Nothing here is surely of the same" in page.content.decode()


def test_words_add_to_an_example(as_ana: Client, dogs: dict[str, Photo]) -> None:
    for words in ("snow", "room"):
        assert found(as_ana, like=str(dogs["beach"].pk), q=words)[0] == dogs[words].pk


def test_words_with_a_minus_take_away(as_ana: Client, dogs: dict[str, Photo]) -> None:
    both = f"{dogs['beach'].pk},{dogs['snow alone'].pk}"
    assert found(as_ana, like=both)[0] == dogs["snow"].pk
    assert found(as_ana, like=both, q="-snow")[0] == dogs["room"].pk


def test_conditions_hold_as_in_every_search(as_ana: Client, dogs: dict[str, Photo]) -> None:
    set_favourite(Photo.objects.filter(pk__in=[dogs["car"].pk, dogs["snow"].pk]), True)
    ids = found(as_ana, like=str(dogs["beach"].pk), q="is:favourite")
    assert ids == [dogs["snow"].pk, dogs["car"].pk]
    assert found(as_ana, like=str(dogs["beach"].pk), q="tag:nothing") == []


def test_each_example_is_shown_and_can_be_taken_away(
    as_ana: Client, dogs: dict[str, Photo]
) -> None:
    first, second = dogs["beach"].pk, dogs["snow"].pk
    answer = as_ana.get(SEARCH, {"like": f"{first},{second}", "q": "at night"})
    examples = answer.context["examples"]
    assert [each.without_url for each in examples] == [
        f"{SEARCH}?q=at+night&like={second}",
        f"{SEARCH}?q=at+night&like={first}",
    ]
    page = unescape(answer.content.decode())
    assert f'<input type="hidden" name="like" value="{first},{second}">' in page  # words add to it
    assert 'value="at night"' in page


def test_results_say_what_speaks_for_them(as_ana: Client, dogs: dict[str, Photo]) -> None:
    answer = as_ana.get(SEARCH, {"like": str(dogs["beach"].pk), "q": "snow"})
    reasons = {tile.id: tile.reasons for tile in answer.context["tiles"]}
    assert "fits ‘snow’" in reasons[dogs["snow"].pk]
    assert reasons[dogs["car"].pk] == ""


def test_photos_of_others_and_of_nobody_are_left_out_alike(
    as_ana: Client, dogs: dict[str, Photo]
) -> None:
    theirs = a_scene(a_user("bob"), "a dog", "a beach")
    mine = str(dogs["beach"].pk)
    assert theirs.pk not in found(as_ana, like=mine)
    assert found(as_ana, like=f"{mine},{theirs.pk}") == found(as_ana, like=f"{mine},{10**9}")
    assert found(as_ana, like=str(theirs.pk)) == []


def test_trashed_examples_and_results_are_none(as_ana: Client, dogs: dict[str, Photo]) -> None:
    trash_photos(Photo.objects.filter(pk=dogs["snow"].pk))
    assert dogs["snow"].pk not in found(as_ana, like=str(dogs["beach"].pk))
    assert found(as_ana, like=str(dogs["snow"].pk)) == []


@pytest.mark.parametrize("like", ["x", ",,", "-1", "1;drop", "9" * 40, "१२", "\x00", " "])
def test_strange_examples_are_answered_in_words(as_ana: Client, ana: User, like: str) -> None:
    answer = as_ana.get(SEARCH, {"like": like, "q": "x" * 10_000})
    assert answer.status_code == 200
    assert b"These examples are not in your library" in answer.content


def test_too_many_examples_are_refused_with_the_limit(as_ana: Client) -> None:
    answer = as_ana.get(SEARCH, {"like": ",".join(map(str, range(1, 22)))})
    assert answer.status_code == 413
    assert b"at most 20 photos" in answer.content


def test_a_photo_nobody_has_looked_at_is_no_example_yet(as_ana: Client, ana: User) -> None:
    waiting = a_photo(ana, state=Photo.State.WAITING)
    a_sight(a_photo(ana))
    answer = as_ana.get(SEARCH, {"like": str(waiting.pk)})
    assert "Examples help once they" in unescape(answer.content.decode())


def test_photo_pages_walk_along_what_is_like_the_example(
    as_ana: Client, dogs: dict[str, Photo]
) -> None:
    answer = as_ana.get(SEARCH, {"like": str(dogs["beach"].pk), "q": "snow"})
    first, second = answer.context["tiles"][:2]
    page = as_ana.get(first.url)
    trail = page.context["trail"]
    assert trail.next_url == second.url
    assert trail.back_url.startswith(f"{SEARCH}?q=snow&like={dogs['beach'].pk}#")
    assert "fits ‘snow’" in unescape(page.content.decode())


def test_many_results_cost_as_many_queries_as_few(as_ana: Client, ana: User) -> None:
    example = a_scene(ana, "a dog")

    def queries() -> int:
        found(as_ana, like=str(example.pk), q="snow -cat")  # follows the index
        with CaptureQueriesContext(connection) as captured:
            found(as_ana, like=str(example.pk), q="snow -cat")
        return len(captured)

    a_scene(ana, "a dog")
    few = queries()
    for _ in range(20):
        a_sight(a_photo(ana, with_thumbnails=False), embedding=an_embedding())
    assert queries() == few


def test_the_page_of_similar_photos_takes_words_along(
    as_ana: Client, dogs: dict[str, Photo]
) -> None:
    answer = as_ana.get(reverse("find:similar", args=[dogs["beach"].pk]))
    assert f'name="like" value="{dogs["beach"].pk}"' in answer.content.decode()
