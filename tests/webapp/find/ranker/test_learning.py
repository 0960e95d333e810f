"""From the database's log to the order that people see: learning, promotion, its undoing."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from search.ranker import files
from tests.factories import a_photo, a_sight, a_user
from webapp.accounts.models import User
from webapp.find.history import events
from webapp.find.history.models import SearchDeed, SearchEvent
from webapp.find.query.embedding import embed_query
from webapp.find.ranker import at_work, learning
from webapp.find.services import find_photos
from webapp.library.models import Photo
from webapp.library.services.doctor import ranking
from webapp.library.services.doctor.findings import Level
from webapp.teach.services import active_version
from workers import tasks

pytestmark = pytest.mark.django_db

Kind = SearchDeed.Kind
NOW = datetime(2026, 5, 1, 12, tzinfo=timezone.get_current_timezone())


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, settings: Settings) -> None:
    settings.MAREA_DATA = tmp_path


@pytest.fixture
def owner() -> User:
    """Of the same number in every run: it says which of the queries a ranker is judged by."""
    return a_user(pk=1_000_001)


def dogs(owner: User, count: int = 12) -> list[Photo]:
    """Photos alike to search, the older half of which are favourites and so come later."""
    photos = []
    for number in range(count):
        liked, taken_at = number < count // 2, datetime(2024, 3, 1, number, tzinfo=UTC)
        photo = a_photo(owner, with_thumbnails=False, is_favourite=liked, taken_at=taken_at)
        a_sight(photo, embedding=embed_query(active_version(), "dog"), tags=[("dog", 0.9)])
        photos.append(photo)
    return photos


def found(user: User, text: str = "dog") -> list[int]:
    return [each.photo.pk for each in find_photos(user, text).found]


def an_event(
    user: User, shown: Sequence[int], *, key: str = "k", at: datetime = NOW, **fields: Any
) -> SearchEvent:
    """A page of these photos, each with its id as its only feature beside the fused one."""
    rows = [[photo_id, -place, photo_id] for place, photo_id in enumerate(shown)]
    row: dict[str, Any] = {
        "text": "dog",
        "names": ["fused", "number"],
        "shown": rows,
        "confident": len(shown),
        "total": len(shown),
    }
    return SearchEvent.objects.create(user=user, key=key, created_at=at, **(row | fields))


def a_deed(
    user: User, photo: Photo, kind: Kind = Kind.OPENED, *, key: str = "k", minutes: float = 1
) -> None:
    at = NOW + timedelta(minutes=minutes)
    SearchDeed.objects.create(user=user, photo=photo, key=key, text="dog", kind=kind, created_at=at)


def people_open_favourites(owner: User, searches: int = 300) -> None:
    """A log of that many queries, of each of which a favourite was opened where it was seen."""
    page = find_photos(owner, "dog")
    events.note_search(owner, "dog", page)
    shown = SearchEvent.objects.get()
    liked = set(Photo.objects.filter(is_favourite=True).values_list("pk", flat=True))
    generator = np.random.default_rng(0)
    logged, deeds = [], []
    for number in range(searches):
        key = sha256(f"query {number}".encode()).hexdigest()[:32]
        rows = [shown.shown[at] for at in generator.permutation(len(shown.shown))]
        fields = {"text": "dog", "key": key, "names": shown.names, "shown": rows}
        counts = {"confident": len(rows), "total": len(rows)}
        logged.append(SearchEvent(user=owner, created_at=NOW, **fields, **counts))
        looked = generator.random(len(rows)) < 1 / (1 + np.arange(len(rows)))
        opened = [
            row[0] for row, look in zip(rows, looked, strict=True) if look and row[0] in liked
        ]
        deeds += [
            SearchDeed(user=owner, photo_id=pk, text="dog", key=key, kind="opened", created_at=NOW)
            for pk in opened[:1]
        ]
    SearchEvent.objects.bulk_create(logged)
    SearchDeed.objects.bulk_create(deeds)


def test_deeds_belong_to_the_search_they_followed(owner: User) -> None:
    first, second, third, stranger = (a_photo(owner, with_thumbnails=False) for _ in range(4))
    shown = [first.pk, second.pk, third.pk]
    an_event(owner, shown)
    an_event(owner, shown, at=NOW + timedelta(minutes=5))  # the back button: the same search
    an_event(owner, shown[::-1], at=NOW + timedelta(hours=2))
    an_event(owner, shown, key="other")
    a_deed(owner, second)
    a_deed(owner, third, Kind.FAVOURITED, minutes=6)
    a_deed(owner, first, minutes=125)
    a_deed(owner, second, minutes=60 * 24)  # too late to be of a search
    a_deed(owner, stranger)

    log = learning.logged()

    assert log.names == ("fused", "number")
    told = [(each.values[:, 1].tolist(), each.gains.tolist()) for each in log.lists]
    ordered = [float(pk) for pk in shown]
    assert told == [
        (ordered, [0.0, 1.0, 2.0]),
        (ordered[::-1], [0.0, 0.0, 1.0]),
        (ordered, [0.0, 0.0, 0.0]),
    ]


def test_pages_of_one_search_are_one_list_on_each_side_of_the_cut_off(owner: User) -> None:
    photos = [a_photo(owner, with_thumbnails=False).pk for _ in range(6)]
    sides = {"confident": 4, "total": 6}
    an_event(owner, photos[:3], **sides)
    an_event(owner, photos[3:], offset=3, at=NOW + timedelta(minutes=1), **sides)
    before, behind = learning.logged().lists
    assert before.values[:, 1].tolist() == photos[:4]
    assert behind.places.tolist() == [4, 5]


def test_a_mark_counts_where_it_was_made_and_later_lists_are_without_the_photo(
    owner: User,
) -> None:
    first, second, third = (a_photo(owner, with_thumbnails=False) for _ in range(3))
    shown = [first.pk, second.pk, third.pk]
    an_event(owner, shown)
    an_event(owner, shown, at=NOW + timedelta(hours=3))
    a_deed(owner, first)
    a_deed(owner, first, Kind.NOT_THIS, minutes=2)
    before, after = learning.logged().lists
    assert before.rejected.tolist() == [True, False, False]
    assert before.gains.tolist() == [0.0, 0.0, 0.0]
    assert after.values[:, 1].tolist() == shown[1:]


def test_who_switched_off_teaches_nothing_and_nobody_s_deeds_are_another_s(owner: User) -> None:
    off, other = a_user(), a_user()
    photos = [a_photo(owner, with_thumbnails=False) for _ in range(2)]
    shown = [photo.pk for photo in photos]
    for user in (owner, off):
        an_event(user, shown)
    a_deed(other, photos[0])
    events.choose_history(off, False)
    (only,) = learning.logged().lists
    assert not only.tells


def test_queries_photos_and_people_are_not_in_what_is_learned(owner: User) -> None:
    photos = dogs(owner)
    people_open_favourites(owner)
    learned = learning.learn(learning.logged(), current=learning.fused)
    assert learned is not None
    name = files.promote(at_work.folder(), learned.network, learned.verdict.as_json())
    text = (at_work.folder() / f"{name}.json").read_text()
    network = files.current(at_work.folder())
    assert network is not None
    ids = {str(photo.pk) for photo in photos} | {owner.username, "dog"}
    assert not ids & set(network.network.names)
    assert owner.username not in text


def test_what_is_learned_orders_the_next_search(owner: User) -> None:
    photos = dogs(owner)
    people_open_favourites(owner)
    untaught = {each.photo.pk: each for each in find_photos(owner, "dog").found}
    before = list(untaught)
    liked = {photo.pk for photo in photos if photo.is_favourite}
    assert before[0] not in liked

    out = StringIO()
    call_command("train", "ranker", stdout=out)

    assert "is at work" in out.getvalue()
    page = find_photos(owner, "dog")
    after = [each.photo.pk for each in page.found]
    assert sorted(after) == sorted(before)
    assert set(after[: len(liked)]) == liked
    assert page.ranker
    for each in page.found:  # nothing else is said of them than before
        assert (each.score, each.reasons) == (
            untaught[each.photo.pk].score,
            untaught[each.photo.pk].reasons,
        )


def test_one_setting_and_one_command_bring_the_old_order_back(
    owner: User, settings: Settings
) -> None:
    dogs(owner)
    before = found(owner)
    people_open_favourites(owner)
    learning.learn_ranking()
    taught = found(owner)
    assert taught != before

    settings.MAREA_RANKER = False
    assert found(owner) == before
    settings.MAREA_RANKER = True
    assert found(owner) == taught

    out = StringIO()
    call_command("train", "ranker", undo=True, stdout=out)
    call_command("train", "ranker", undo=True, stdout=out)
    assert out.getvalue().splitlines() == [
        "Results are ordered without a ranker.",
        "No ranker is at work, so there is nothing to undo.",
    ]
    assert found(owner) == before


def test_a_damaged_ranker_is_left_out_and_told(owner: User) -> None:
    dogs(owner)
    before = found(owner)
    people_open_favourites(owner)
    name = learning.learn_ranking().promoted
    (whole,) = ranking.ranker()
    assert whole.level is Level.OK
    assert name in whole.message

    (at_work.folder() / f"{name}.json").write_text("{}")
    at_work._opened = None  # as in a process that starts now
    assert found(owner) == before
    (problem,) = ranking.ranker()
    assert problem.level is Level.PROBLEM
    assert problem.mend is not None
    problem.mend()
    assert [each.level for each in ranking.ranker()] == [Level.OK]


def test_the_clock_learns_only_where_much_is_new(owner: User) -> None:
    photo = a_photo(owner, with_thumbnails=False)
    assert not learning.learn_ranking(even_if_known=False).is_new
    for _ in range(30):
        a_deed(owner, photo)
    tasks.learn_ranking()
    first = files.read_attempt(at_work.folder())
    assert first["promoted"] == ""
    a_deed(owner, photo)
    tasks.learn_ranking()
    assert files.read_attempt(at_work.folder()) == first
    for _ in range(5):
        a_deed(owner, photo)
    tasks.learn_ranking()
    assert files.read_attempt(at_work.folder()) != first


def test_too_little_is_said(owner: User) -> None:
    out = StringIO()
    call_command("train", "ranker", stdout=out)
    assert "too few to learn from" in out.getvalue()
    (finding,) = ranking.ranker()
    assert "by their signals alone" in finding.message
    assert "not promoted" in finding.message


def test_a_learned_order_costs_one_query_however_many_are_found(owner: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            find_photos(owner, "dog")
        return len(captured)

    dogs(owner, 4)
    find_photos(owner, "dog")
    without = queries()
    people_open_favourites(owner)
    assert learning.learn_ranking().promoted
    few = queries()
    assert few == without + 1
    dogs(owner, 8)
    find_photos(owner, "dog")
    assert queries() == few
