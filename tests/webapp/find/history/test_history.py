"""The search history: what is written, who can read it, and how it is erased."""

from datetime import timedelta
from html import unescape

import pytest
from django.conf import settings
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.factories import a_photo, a_sight, a_token, a_user
from webapp.accounts.models import User
from webapp.find.history import events
from webapp.find.history.models import SearchDeed, SearchEvent
from webapp.find.history.wishes import Wish
from webapp.find.query.embedding import embed_query
from webapp.find.services import find_photos
from webapp.library.models import Photo
from webapp.teach.services import active_version
from workers import housekeeping

pytestmark = pytest.mark.django_db

SEARCH, HISTORY = reverse("find:page"), reverse("find:history")
ERASE, NOT_THIS = reverse("find:erase_history"), reverse("find:not_this")
API = reverse("api:search")
HTMX = {"HX-Request": "true"}


def a_dog(owner: User, **fields: object) -> Photo:
    photo = a_photo(owner, with_thumbnails=False, **fields)
    a_sight(photo, embedding=embed_query(active_version(), "dog"), tags=[("dog", 0.95)])
    return photo


def results(client: Client, text: str, **more: str) -> list[int]:
    return [tile.id for tile in client.get(SEARCH, {"q": text, **more}).context["tiles"]]


def deeds(user: User) -> list[tuple[str, int, str]]:
    rows = SearchDeed.objects.visible_to(user).order_by("pk")
    return list(rows.values_list("text", "photo_id", "kind"))


def switch(client: Client, *, on: bool) -> None:
    assert client.post(reverse("find:choose_history"), {"keep": "yes" if on else "no"}).status_code


def test_a_search_is_remembered_with_what_was_shown(as_ana: Client, ana: User) -> None:
    favourite, other = a_dog(ana, is_favourite=True), a_dog(ana)
    shown = results(as_ana, "a  dog")

    event = SearchEvent.objects.get()

    assert (event.user, event.text, event.offset, event.total) == (ana, "a dog", 0, 2)
    assert event.version == active_version().name
    assert [row[0] for row in event.shown] == shown
    assert set(shown) == {favourite.pk, other.pk}
    features = {int(row[0]): dict(zip(event.names, row[1:], strict=True)) for row in event.shown}
    assert features[favourite.pk]["favourite"] == 1.0
    assert features[other.pk]["favourite"] == 0.0
    assert features[other.pk]["signal tags"] > 0.0
    assert {"fused", "signal embedding", "of this year"} <= set(event.names)


def test_a_program_s_searches_are_remembered_as_long_as_its_owner_wants(ana: User) -> None:
    dog = a_dog(ana)
    program = Client(headers={"Authorization": f"Bearer {a_token(ana)}"})

    assert program.get(API, {"q": "dog"}).status_code == 200
    event = SearchEvent.objects.get()
    assert (event.user, event.text, event.offset) == (ana, "dog", 0)
    assert [row[0] for row in event.shown] == [dog.pk]

    events.choose_history(ana, False)
    assert program.get(API, {"q": "cat"}).status_code == 200
    assert SearchEvent.objects.get() == event


@pytest.mark.parametrize("count", [2, 20])
def test_remembering_a_page_is_one_insert_however_much_it_shows(
    ana: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(count):
        a_dog(ana)
    page = find_photos(ana, "dog")
    with django_assert_num_queries(1) as captured:
        events.note_search(ana, "dog", page)
    assert captured.captured_queries[0]["sql"].startswith("INSERT")
    assert len(SearchEvent.objects.get().shown) == count


def test_further_pages_are_remembered_with_their_place(as_ana: Client, ana: User) -> None:
    for _ in range(70):
        a_photo(ana, is_favourite=True, with_thumbnails=False)
    first = as_ana.get(SEARCH, {"q": "is:favourite"})
    further = as_ana.get(first.context["next_url"], headers=HTMX).context["tiles"]
    _, second = SearchEvent.objects.order_by("pk")
    assert second.offset == 60
    assert second.shown == [[tile.id] for tile in further]  # of conditions there is no opinion


def test_opening_a_result_is_remembered_and_walking_on_is_not(as_ana: Client, ana: User) -> None:
    dogs = [a_dog(ana), a_dog(ana)]
    first, second = as_ana.get(SEARCH, {"q": "dog"}).context["tiles"]
    as_ana.get(first.url)
    as_ana.get(second.url, headers=HTMX)
    as_ana.get(reverse("library:photo", args=[second.id]))
    as_ana.get(reverse("library:photo", args=[a_photo(ana).pk]) + '?q="no result"')
    assert len(dogs) == 2
    assert deeds(ana) == [("dog", first.id, "opened")]


def test_what_is_done_to_results_is_remembered(as_ana: Client, ana: User) -> None:
    photo = a_dog(ana)
    opened = f"http://testserver{reverse('library:photo', args=[photo.pk])}?q=dog"
    results_page = f"http://testserver{SEARCH}?q=dog"
    favourite = reverse("library:bulk", args=["favourite"])
    as_ana.post(favourite, {"photos": photo.pk}, headers={"Referer": results_page})
    tag = reverse("teach:tag", args=[photo.pk])
    as_ana.post(tag, {"say": "add", "tag": "rex"}, headers={**HTMX, "HX-Current-URL": opened})
    caption = reverse("teach:caption", args=[photo.pk])
    as_ana.post(caption, {"caption": "Rex"}, headers={"Referer": opened})
    for elsewhere in (
        "http://elsewhere.example/search/?q=dog",
        f"http://testserver{HISTORY}?q=dog",
    ):
        as_ana.post(caption, {"caption": "Rex"}, headers={"Referer": elsewhere})
    assert deeds(ana) == [
        ("dog", photo.pk, "favourited"),
        ("dog", photo.pk, "corrected"),
        ("dog", photo.pk, "corrected"),
    ]


def test_a_photo_that_was_not_meant_comes_last_for_that_query_alone(
    as_ana: Client, ana: User
) -> None:
    first, second = (a_dog(ana), a_dog(ana))
    best = results(as_ana, "dog")[0]
    assert best == second.pk
    answer = as_ana.post(
        NOT_THIS, {"photos": best, "q": "dog"}, headers={"Accept": "application/json"}
    )
    assert answer.json()["count"] == 1
    assert results(as_ana, " Dog ") == [first.pk]
    page = as_ana.get(SEARCH, {"q": "dog", "more": "1"}).context["page"]
    assert [each.photo.pk for each in page.found] == [first.pk, best]
    assert (page.confident, page.found[-1].score) == (1, 0.0)
    assert results(as_ana, "dogs")[0] == best

    as_ana.post(NOT_THIS, {"photos": best, "q": "dog", "say": "undo"})
    assert results(as_ana, "dog")[0] == best


def test_a_mark_is_offered_where_something_was_guessed(as_ana: Client, ana: User) -> None:
    photo = a_dog(ana, is_favourite=True)
    assert "data-not-this" in as_ana.get(SEARCH, {"q": "dog"}).content.decode()
    assert "data-not-this" not in as_ana.get(SEARCH, {"q": "is:favourite"}).content.decode()
    address = reverse("library:photo", args=[photo.pk])
    assert "Not what I searched for" in as_ana.get(f"{address}?q=dog").content.decode()
    for query in ("?q=is:favourite", '?q="elephants"', ""):
        assert "Not what I searched for" not in as_ana.get(address + query).content.decode()


def test_while_it_is_off_nothing_is_written(as_ana: Client, ana: User) -> None:
    photo = a_dog(ana)
    switch(as_ana, on=False)
    page = as_ana.get(SEARCH, {"q": "dog"})
    as_ana.get(page.context["tiles"][0].url)
    as_ana.get(SEARCH, {"q": "is:favourite"})
    referer = {"Referer": f"http://testserver{SEARCH}?q=dog"}
    as_ana.post(reverse("library:bulk", args=["favourite"]), {"photos": photo.pk}, headers=referer)
    refused = as_ana.post(NOT_THIS, {"photos": photo.pk, "q": "dog"})
    assert refused.status_code == 409
    assert "data-not-this" not in page.content.decode()
    assert not SearchEvent.objects.exists()
    assert not SearchDeed.objects.exists()

    switch(as_ana, on=True)
    results(as_ana, "dog")
    assert SearchEvent.objects.count() == 1


def test_the_history_is_read_newest_first_with_what_followed(as_ana: Client, ana: User) -> None:
    photo = a_dog(ana)
    for text in ("dog", "cat", "DOG"):
        results(as_ana, text)
    as_ana.get(reverse("library:photo", args=[photo.pk]) + "?q=dog")
    events.note_deeds(ana, Wish("dog"), [photo.pk], SearchDeed.Kind.FAVOURITED)
    as_ana.post(NOT_THIS, {"photos": photo.pk, "q": "tree"})

    answer = as_ana.get(HISTORY)

    assert [(past.wish.text, past.times) for past in answer.context["page"]] == [
        ("DOG", 2),
        ("cat", 1),
    ]
    page = unescape(answer.content.decode())
    assert page.count("marked as favourite, opened") == 1
    assert "not “tree”" in page


def test_a_long_history_is_read_in_as_many_queries(
    as_ana: Client, ana: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def ask(numbers: range) -> None:
        for number in numbers:
            query = f"dog {number}"
            events.note_search(ana, query, find_photos(ana, query))

    a_dog(ana)
    ask(range(2))
    as_ana.get(HISTORY)
    # Session, user, version; how many, which, their newest, what followed; marks; whether it is on.
    with django_assert_num_queries(9):
        as_ana.get(HISTORY)
    ask(range(2, 12))
    with django_assert_num_queries(9):
        as_ana.get(HISTORY)


def test_one_query_or_everything_is_erased(as_ana: Client, ana: User) -> None:
    photo = a_dog(ana)
    for text in ("dog", "cat"):
        results(as_ana, text)
        as_ana.post(NOT_THIS, {"photos": photo.pk, "q": text})
    key = SearchEvent.objects.get(text="dog").key

    as_ana.post(ERASE, {"key": key})
    assert [event.text for event in SearchEvent.objects.all()] == ["cat"]
    assert deeds(ana) == [("cat", photo.pk, "not_this")]
    assert as_ana.post(ERASE, {"key": key}).status_code == 404
    assert as_ana.post(ERASE).status_code == 422

    as_ana.post(ERASE, {"all": "yes"})
    assert not SearchEvent.objects.exists()
    assert not SearchDeed.objects.exists()


def test_nobody_reads_marks_or_erases_what_is_another_s(as_ana: Client, ana: User) -> None:
    bob = a_user("bob")
    theirs = a_dog(bob)
    events.note_search(bob, "secret dog", find_photos(bob, "secret dog"))
    events.mark_not_this(bob, Wish("secret dog"), [theirs.pk])
    key = SearchEvent.objects.get().key

    assert "secret" not in as_ana.get(HISTORY).content.decode()
    assert events.past_searches(ana, "", 9) == []
    assert as_ana.post(ERASE, {"key": key}).status_code == 404
    as_ana.post(ERASE, {"all": "yes"})
    as_ana.post(NOT_THIS, {"photos": theirs.pk, "q": "dog"})
    as_ana.post(NOT_THIS, {"photos": theirs.pk, "q": "secret dog", "say": "undo"})
    assert deeds(ana) == []
    assert deeds(bob) == [("secret dog", theirs.pk, "not_this")]
    assert SearchEvent.objects.count() == 1


def test_another_s_mark_changes_nothing_for_me(ana: User) -> None:
    photo = a_dog(ana)
    bob = a_user("bob")
    assert events.mark_not_this(bob, Wish("dog"), [photo.pk]) == 0
    assert [each.photo for each in find_photos(ana, "dog").found] == [photo]


def test_past_searches_are_offered_last_first_and_once(as_ana: Client, ana: User) -> None:
    a_dog(ana)
    for text in ("dogs", "Dog", "cat", "dog", "tag:nothing"):
        results(as_ana, text)
    assert events.past_searches(ana, "do", 5) == ["dog", "dogs"]
    assert events.past_searches(ana, "D", 1) == ["dog"]
    assert "tag:nothing" not in events.past_searches(ana, "", 5)
    assert events.past_searches(ana, "%", 5) == []
    switch(as_ana, on=False)
    assert events.past_searches(ana, "do", 5) == []


def test_what_is_old_is_forgotten_but_a_person_s_word_is_not(as_ana: Client, ana: User) -> None:
    photo = a_dog(ana)
    results(as_ana, "dog")
    as_ana.get(reverse("library:photo", args=[photo.pk]) + "?q=dog")
    as_ana.post(NOT_THIS, {"photos": photo.pk, "q": "dog"})
    old = timezone.now() - timedelta(days=settings.MAREA_HISTORY_DAYS, hours=1)
    SearchEvent.objects.update(created_at=old)
    SearchDeed.objects.update(created_at=old)
    results(as_ana, "dog park")

    housekeeping.tidy()

    assert [event.text for event in SearchEvent.objects.all()] == ["dog park"]
    assert deeds(ana) == [("dog", photo.pk, "not_this")]


def test_a_search_that_cannot_be_written_down_is_answered(
    as_ana: Client, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = a_dog(ana)

    def full(*_args: object, **_kwargs: object) -> None:
        raise DatabaseError("database or disk is full")

    monkeypatch.setattr(type(SearchEvent.objects.all()), "bulk_create", full)
    assert results(as_ana, "dog") == [photo.pk]


@pytest.mark.parametrize("text", ["\x00", "x" * 10_000, "🏖️ \u202e", "-", '"'])
def test_any_text_is_remembered_or_left_out(as_ana: Client, ana: User, text: str) -> None:
    photo = a_dog(ana)
    assert as_ana.get(SEARCH, {"q": text, "more": "1"}).status_code == 200
    referer = {"photos": photo.pk, "q": text}
    assert as_ana.post(NOT_THIS, referer).status_code == 302
    assert as_ana.get(HISTORY).status_code == 200


def test_photos_of_the_history_are_described(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana)
    dog = embed_query(active_version(), "dog")
    a_sight(photo, embedding=dog, caption="A dog in the snow", tags=[("dog", 0.95)])
    (tile,) = as_ana.get(SEARCH, {"q": "dog"}).context["tiles"]
    as_ana.get(tile.url)
    as_ana.post(NOT_THIS, {"photos": photo.pk, "q": "dog"})
    page = as_ana.get(HISTORY).content.decode()
    assert page.count('alt="A dog in the snow"') == 2, "opened, and not what was meant"
