"""The search box completes what is typed, from one's own library."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import a_photo, a_sight, a_user
from webapp.accounts.models import User
from webapp.albums.models import Album
from webapp.find.query import lexicon
from webapp.find.query.completion import COUNT, completions
from webapp.find.services import find_photos
from webapp.library.services.places import place, remember_places

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(ana: User) -> User:
    lexicon.forget()
    for tags, caption in (
        (["golden retriever", "beach"], "a dog on the beach"),
        (["beach"], "a boat by the mountains"),
        (["bench"], "a bench"),
    ):
        photo = a_photo(ana, with_thumbnails=False, camera="Canon EOS 90D")
        a_sight(photo, tags=[(tag, 0.9) for tag in tags], caption=caption)
    there = a_photo(ana, with_thumbnails=False, latitude=41.89, longitude=12.49)
    place(there)
    there.save()
    remember_places([there])
    Album.objects.create(owner=ana, name="Summer in Sicily")
    return ana


def offered(user: User, typed: str) -> list[str]:
    return [each.text for each in completions(user, typed)]


def test_tags_are_offered_the_commonest_first(ana: User) -> None:
    assert offered(ana, "be")[:3] == ["tag:beach", "tag:bench", "before:"]
    assert offered(ana, "two dogs tag:gol") == ['two dogs tag:"golden retriever"']
    assert offered(ana, 'tag:"golden re') == ['tag:"golden retriever"']
    assert offered(ana, '"old dog" tag:"gol') == ['"old dog" tag:"golden retriever"']
    assert offered(ana, "retr") == ['tag:"golden retriever"']
    assert offered(ana, "sea -be")[0] == "sea -tag:beach"


def test_places_cameras_and_albums_are_offered(ana: User) -> None:
    assert "place:Rome" in offered(ana, "rom")
    assert offered(ana, "place:it") == ["place:Italy"]
    assert 'album:"Summer in Sicily"' in offered(ana, "sic")
    assert offered(ana, "album:")[0] == 'album:"Summer in Sicily"'
    assert 'camera:"Canon EOS 90D"' in offered(ana, "eos")
    assert offered(ana, "type:pan") == ["type:panorama"]
    assert offered(ana, "is:") == ["is:favourite"]


def test_words_are_corrected_from_the_library_s_own(ana: User) -> None:
    (better,) = completions(ana, "sunny beech")
    assert (better.text, better.kind) == ("sunny beach", "spelling")
    assert offered(ana, "mountians") == ["mountains"]
    assert offered(ana, "mountains") == []
    assert offered(ana, "zzzzzz") == []
    assert offered(ana, "bunch") == ["bench"]
    assert offered(ana, "peach") == []  # not in the library, but a word


def test_a_search_without_results_offers_another_spelling(as_ana: Client, ana: User) -> None:
    page = as_ana.get("/search/", {"q": "mountians tag:zebra"}).content.decode()

    assert "Did you mean <a" in page
    assert "q=mountains+tag%3Azebra" in page
    assert (
        "Did you mean" not in as_ana.get("/search/", {"q": "mountains tag:zebra"}).content.decode()
    )


def test_own_past_searches_are_offered(as_ana: Client, ana: User) -> None:
    as_ana.get("/search/", {"q": "beach at dusk"})
    as_ana.get("/search/", {"q": "tag:beach"})

    found = as_ana.get("/search/completions", {"q": "bea"}).json()["completions"]

    assert {"text": "tag:beach", "label": "beach", "kind": "tag"} in found
    assert "tag:beach" in [each.text for each in completions(ana, "tag:")]
    assert offered(ana, "")[0] == "tag:beach"


def test_nothing_of_another_s_is_offered(ana: User) -> None:
    stranger = a_user()

    for typed in ("be", "tag:be", "place:", "rom", "sic", "eos", "beech", "album:"):
        assert not any(each.kind != "condition" for each in completions(stranger, typed)), typed


def test_new_photos_are_known_at_once(ana: User) -> None:
    assert offered(ana, "zeb") == []
    a_sight(a_photo(ana, with_thumbnails=False), tags=[("zebra", 0.9)])
    lexicon.forget()  # a lexicon may be used for twenty times as long as making it took
    assert offered(ana, "zeb") == ["tag:zebra"]


@pytest.mark.parametrize("typed", ["be", "tag:be", "beech", ""])
def test_many_photos_cost_as_many_queries_as_few(ana: User, typed: str) -> None:
    def queries() -> int:
        lexicon.forget()
        with CaptureQueriesContext(connection) as captured:
            completions(ana, typed)
        return len(captured)

    few = queries()
    for number in range(20):
        a_sight(a_photo(ana, with_thumbnails=False), tags=[(f"beetle {number}", 0.9)])
    assert queries() == few
    assert len(completions(ana, typed)) <= COUNT


@pytest.mark.parametrize(
    "typed",
    ['"', "-", "tag:", 'tag:"', "x" * 10_000, "%", "\x00", "\u202e", "a:b:c", "("],
)
def test_any_text_is_completed(as_ana: Client, ana: User, typed: str) -> None:
    answer = as_ana.get("/search/completions", {"q": typed})
    assert answer.status_code == 200
    for each in answer.json()["completions"]:
        find_photos(ana, each["text"])
