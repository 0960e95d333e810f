"""Searches by example in the history: written down, followed, marked, read and erased."""

import secrets
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from tests.webapp.find.by_example.test_examples import SEARCH, dogs, found
from webapp.accounts.models import User
from webapp.examples.models import ExampleImage
from webapp.examples.services import token_of
from webapp.find.history.events import choose_history, past_searches
from webapp.find.history.models import SearchDeed, SearchEvent
from webapp.find.history.wishes import Wish
from webapp.library.models import Photo
from webapp.teach.models import Sight
from webapp.teach.services import active_version

__all__ = ["dogs"]  # a fixture of theirs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

HISTORY, NOT_THIS = reverse("find:history"), reverse("find:not_this")


def written(user: User) -> list[tuple[str, str, int, str]]:
    rows = SearchDeed.objects.visible_to(user).order_by("pk")
    return list(rows.values_list("text", "examples", "photo_id", "kind"))


def test_a_search_by_example_is_remembered_under_a_key_of_its_own(
    as_ana: Client, ana: User, dogs: dict[str, Photo]
) -> None:
    first, second = sorted((dogs["beach"].pk, dogs["snow"].pk))
    shown = found(as_ana, like=f"{first},{second}", q="room")
    found(as_ana, like=f"{second},{first}", q=" Room ")
    found(as_ana, like=str(first), q="room")
    found(as_ana, q="room")

    both, again, one, words = SearchEvent.objects.visible_to(ana).order_by("pk")
    assert both.examples == again.examples == f"{first},{second}"
    assert both.key == again.key
    assert len({both.key, one.key, words.key}) == 3
    assert [int(row[0]) for row in both.shown] == shown
    assert {"fused", "signal others"} <= set(both.names)
    assert not any("room" in name for name in both.names)  # what somebody typed is in no name
    SearchEvent.objects.update(confident=1)
    assert past_searches(ana, "", 9) == ["room"]  # alone it does not say what was wanted


def test_nothing_of_it_is_written_while_the_history_is_off(
    as_ana: Client, ana: User, dogs: dict[str, Photo]
) -> None:
    choose_history(ana, False)
    answer = as_ana.get(SEARCH, {"like": str(dogs["beach"].pk)})
    as_ana.get(answer.context["tiles"][0].url)
    assert "data-not-this" not in answer.content.decode()
    assert not SearchEvent.objects.exists()
    assert not SearchDeed.objects.exists()


def test_what_is_done_to_what_is_alike_is_remembered(
    as_ana: Client, ana: User, dogs: dict[str, Photo]
) -> None:
    like = str(dogs["beach"].pk)
    tile = as_ana.get(SEARCH, {"like": like, "q": "snow"}).context["tiles"][0]
    as_ana.get(tile.url)
    page = f"http://testserver{SEARCH}?q=snow&like={like}"
    favourite = reverse("library:bulk", args=["favourite"])
    as_ana.post(favourite, {"photos": tile.id}, headers={"Referer": page})
    assert written(ana) == [
        ("snow", like, tile.id, "opened"),
        ("snow", like, tile.id, "favourited"),
    ]


def test_a_photo_that_is_not_alike_enough_comes_last_for_these_examples_alone(
    as_ana: Client, ana: User, dogs: dict[str, Photo]
) -> None:
    like = str(dogs["beach"].pk)
    best, *others = found(as_ana, like=like)
    marked = as_ana.get(SEARCH, {"like": like}).content.decode()
    assert f'name="like" value="{like}"' in marked.split('id="not-this"')[1]
    as_ana.post(NOT_THIS, {"photos": best, "like": like, "q": ""})
    assert found(as_ana, like=like) == [*others, best]
    assert found(as_ana, like=f"{like},{dogs['car'].pk}")[0] == best
    walked = as_ana.get(reverse("library:photo", args=[others[-1]]) + f"?like={like}&more=1")
    assert walked.context["trail"].neighbours.next == best

    as_ana.post(NOT_THIS, {"photos": best, "like": like, "q": "", "say": "undo"})
    assert found(as_ana, like=like)[0] == best


def test_the_history_names_examples_asks_again_and_erases_them(
    as_ana: Client, ana: User, dogs: dict[str, Photo]
) -> None:
    like, other = str(dogs["beach"].pk), dogs["car"].pk
    found(as_ana, like=like, q="at night")
    as_ana.post(NOT_THIS, {"photos": other, "like": like, "q": "at night"})
    answer = as_ana.get(HISTORY)
    (past,) = answer.context["page"]
    assert (past.wish.label, past.wish.url) == (
        "Like a photo: at night",
        f"{SEARCH}?q=at+night&like={like}",
    )
    assert "not “Like a photo: at night”" in unescape(answer.content.decode())
    as_ana.post(NOT_THIS, {"photos": other, "key": past.key, "say": "undo"})
    assert not SearchDeed.objects.exists()
    as_ana.post(reverse("find:erase_history"), {"key": past.key})
    assert not SearchEvent.objects.exists()


def test_a_picture_is_the_same_when_it_is_dropped_again(
    as_ana: Client, ana: User, dogs: dict[str, Photo]
) -> None:
    pictures = [a_picture(ana, dogs["beach"], content) for content in (b"one", b"one", b"two")]
    best = found(as_ana, image=token_of(pictures[0]))[0]
    as_ana.post(NOT_THIS, {"photos": best, "image": token_of(pictures[0]), "q": ""})
    assert found(as_ana, image=token_of(pictures[1]))[-1] == best
    assert found(as_ana, image=token_of(pictures[2]))[0] == best
    event = SearchEvent.objects.visible_to(ana).order_by("pk")[0]
    wish = Wish(event.text, event.examples)
    assert (wish.label, wish.url) == ("Like a picture", "")
    ExampleImage.objects.all().delete()
    gone = as_ana.post(NOT_THIS, {"photos": best, "image": token_of(pictures[0]), "q": ""})
    assert gone.status_code == 404


def test_no_training_takes_the_words_beside_an_example_for_a_query(
    as_ana: Client, ana: User, dogs: dict[str, Photo]
) -> None:
    for fields in ({"q": "snow"}, {"q": "at night", "like": str(dogs["beach"].pk)}):
        as_ana.post(NOT_THIS, {"photos": dogs["car"].pk, **fields})
    assert [deed.text for deed in SearchDeed.objects.by_words_alone()] == ["snow"]


def a_picture(owner: User, alike: Photo, content: bytes) -> ExampleImage:
    version = active_version()
    return ExampleImage.objects.create(
        owner=owner,
        key=secrets.token_urlsafe(32),
        picture=content,
        version=version,
        embedding=Sight.objects.get(photo=alike, version=version).embedding,
    )
