"""Why it matched: asking for a heat map, over the API and on the photo page."""

from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.factories import a_photo, a_sight, a_token, a_user, an_embedding
from webapp.accounts.models import User
from webapp.find import heat_maps
from webapp.find.heat_maps import fail_heat_map, store_heat_map, waiting_heat_maps
from webapp.find.models import MAX_ATTEMPTS, HeatMap
from webapp.find.query.embedding import embed_query
from webapp.library.models import Photo
from webapp.library.services.trash import delete_photos, trash_photos
from webapp.teach.models import ModelVersion
from webapp.teach.services import active_version, weights_folder
from workers import queue

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def ask(client: Client, photo_id: int, **query: str) -> HttpResponse:
    return client.get(reverse("api:heatmap", args=[photo_id]), query)


@pytest.fixture
def photo(ana: User) -> Photo:
    """One that looks like a dog."""
    photo = a_photo(ana, file_name="IMG_1.jpg")
    a_sight(photo, embedding=embed_query(active_version(), "a dog"))
    return photo


def test_a_map_is_promised_until_a_worker_has_drawn_it(as_ana: Client, photo: Photo) -> None:
    first = ask(as_ana, photo.pk, q="a dog")
    assert (first.status_code, first.json()) == (202, {"is_ready": False})
    assert first.headers["Retry-After"] == "1"
    assert first.headers["Cache-Control"] == "no-store"
    assert queue.redis().llen("thumbnails") == 1

    (row,) = waiting_heat_maps()
    store_heat_map(row, b"\x89PNG and so on")
    ready = ask(as_ana, photo.pk, q="a dog")

    assert (ready.status_code, ready.content) == (200, b"\x89PNG and so on")
    assert ready.headers["Content-Type"] == "image/png"
    assert ready.headers["Cache-Control"] == "private, max-age=3600"
    assert HeatMap.objects.count() == 1


def test_the_query_itself_is_not_kept(as_ana: Client, photo: Photo) -> None:
    ask(as_ana, photo.pk, q="zanzibar harbour")
    assert "zanzibar" not in str(HeatMap.objects.values().get())


def test_conditions_do_not_make_another_map(as_ana: Client, photo: Photo) -> None:
    for query in ("a dog", "a dog 2024", "a dog -tag:cat"):
        assert ask(as_ana, photo.pk, q=query).status_code == 202
    assert HeatMap.objects.count() == 1


@pytest.mark.parametrize("query", ["tag:dog", "2024", '"a dog"', "  ", "-"])
def test_conditions_alone_are_nowhere_on_a_photo(as_ana: Client, photo: Photo, query: str) -> None:
    answer = ask(as_ana, photo.pk, q=query)
    assert answer.status_code == 422
    assert "conditions cannot" in answer.json()["error"]["message"]
    assert not HeatMap.objects.exists()


def test_somebody_elses_photo_is_an_unknown_one(as_ana: Client, photo: Photo) -> None:
    theirs = a_photo(a_user("bob"))
    foreign, unknown = (ask(as_ana, pk, q="a dog") for pk in (theirs.pk, 10**9))
    assert (foreign.status_code, foreign.content) == (unknown.status_code, unknown.content)
    assert foreign.status_code == 404
    assert not HeatMap.objects.exists()


@pytest.mark.parametrize("state", [Photo.State.WAITING, Photo.State.FAILED])
def test_a_photo_that_nobody_has_looked_at_has_no_map(
    as_ana: Client, ana: User, state: Photo.State
) -> None:
    answer = ask(as_ana, a_photo(ana, state=state).pk, q="a dog")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_ready")


def test_why_a_map_cannot_be_is_told_in_a_sentence(as_ana: Client, photo: Photo) -> None:
    ask(as_ana, photo.pk, q="a dog")
    fail_heat_map(HeatMap.objects.get(), "The photo cannot be read: it is cut off.")
    answer = ask(as_ana, photo.pk, q="a dog")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_heat_map")
    assert answer.json()["error"]["message"] == "The photo cannot be read: it is cut off."


def test_another_version_draws_another_map(as_ana: Client, photo: Photo) -> None:
    ask(as_ana, photo.pk, q="a dog")
    store_heat_map(HeatMap.objects.get(), b"old")
    folder = weights_folder(active_version())
    other = ModelVersion.objects.create(name="other", folder=str(folder))
    ModelVersion.objects.update(is_active=False)
    ModelVersion.objects.filter(pk=other.pk).update(is_active=True)
    assert ask(as_ana, photo.pk, q="a dog").status_code == 202


def test_a_program_that_may_only_read_may_ask(ana: User, photo: Photo) -> None:
    program = Client(headers={"Authorization": f"Bearer {a_token(ana)}"})
    assert ask(program, photo.pk, q="a dog").status_code == 202


def test_the_latest_wish_is_drawn_first(as_ana: Client, ana: User) -> None:
    photos = [a_photo(ana) for _ in range(3)]
    for photo in photos:
        ask(as_ana, photo.pk, q="a dog")
    assert [row.photo for row in waiting_heat_maps()] == photos[::-1]


def test_a_map_that_ends_its_worker_each_time_is_given_up(as_ana: Client, photo: Photo) -> None:
    ask(as_ana, photo.pk, q="a dog")
    for _ in range(MAX_ATTEMPTS):
        assert len(list(waiting_heat_maps())) == 1
    assert list(waiting_heat_maps()) == []
    answer = ask(as_ana, photo.pk, q="a dog")
    assert answer.status_code == 409
    assert "ended the worker" in answer.json()["error"]["message"]


def test_one_person_cannot_fill_the_database(
    as_ana: Client, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heat_maps, "KEPT_A_PERSON", 3)
    theirs = HeatMap.objects.create(
        photo=a_photo(a_user("bob")), version=active_version(), digest="0", embedding=b""
    )
    for number in range(5):
        ask(as_ana, photo.pk, q=f"{number} dogs")
    assert HeatMap.objects.visible_to(photo.owner).count() == 3
    assert HeatMap.objects.filter(pk=theirs.pk).exists()


def test_maps_go_with_their_photo_and_after_a_day(as_ana: Client, ana: User, photo: Photo) -> None:
    other = a_photo(ana)
    for each in (photo, other):
        ask(as_ana, each.pk, q="a dog")
    trash_photos(Photo.objects.filter(pk=photo.pk))
    delete_photos(Photo.objects.filter(pk=photo.pk))
    assert HeatMap.objects.get().photo == other
    assert not HeatMap.objects.expired().exists()
    HeatMap.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert HeatMap.objects.expired().count() == 1


def test_asking_again_costs_the_same_few_queries(as_ana: Client, photo: Photo) -> None:
    ask(as_ana, photo.pk, q="a dog")
    with CaptureQueriesContext(connection) as captured:
        ask(as_ana, photo.pk, q="a dog")
    assert len(captured) == 5  # session, user, photo, version, map


# --- The photo page ---


def page(as_ana: Client, photo: Photo, query: str = "", **more: str) -> str:
    asked = {"q": query, **more} if query else {}
    answer = as_ana.get(reverse("library:photo", args=[photo.pk]), asked)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_a_photo_opened_from_a_search_says_why_and_can_show_where(
    as_ana: Client, photo: Photo
) -> None:
    shown = page(as_ana, photo, "a dog is:favourite")
    assert "data-heat-map" not in shown  # it is no favourite, so no result
    shown = page(as_ana, photo, "a dog")
    assert '<p class="why">looks like it</p>' in shown
    assert f'data-heat-map="/api/v1/photos/{photo.pk}/heatmap?q=a+dog"' in shown


def test_a_photo_that_only_words_led_to_says_so_and_has_no_map(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana)
    a_sight(photo, embedding=-embed_query(active_version(), "zanzibar"), tags=[("zanzibar", 0.9)])
    shown = page(as_ana, photo, "zanzibar", more="1")
    assert '<p class="why">tagged zanzibar</p>' in shown
    assert "data-heat-map" not in shown


def test_conditions_are_reasons_without_a_map(as_ana: Client, ana: User) -> None:
    photo = a_photo(ana, is_favourite=True)
    shown = page(as_ana, photo, "is:favourite")
    assert '<p class="why">a favourite</p>' in shown
    assert "data-heat-map" not in shown


def test_a_photo_opened_from_the_library_needs_no_reason(as_ana: Client, photo: Photo) -> None:
    shown = page(as_ana, photo)
    assert "Why it matched" not in shown


def test_a_photo_page_costs_the_same_queries_whatever_was_found(as_ana: Client, ana: User) -> None:
    dog = embed_query(active_version(), "a dog")
    photos = [a_photo(ana, with_thumbnails=False) for _ in range(2)]
    for each in photos:
        a_sight(each, embedding=dog, tags=[("dog", 0.9)])

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(as_ana, photos[0], "a dog")
        return len(captured)

    queries()  # follows the index
    few = queries()
    for _ in range(20):
        a_sight(a_photo(ana, with_thumbnails=False), embedding=an_embedding(), tags=[("dog", 0.9)])
    queries()
    assert queries() == few
