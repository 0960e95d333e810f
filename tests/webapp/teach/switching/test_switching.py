"""A switch is one row: everything that it needs is there before, and after it on the way back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from search import fulltext
from tests.factories import a_photo, a_sight, a_user
from tests.webapp.teach.runs.one_word import OneWord, silent
from tests.webapp.teach.switching.twins import a_twin
from vision.sight import Image
from vision.sight import Sight as Seen
from webapp.accounts.models import User
from webapp.find.index import engine
from webapp.find.index.building import index_store
from webapp.find.services import find_photos
from webapp.library.models import ChangeCounter, Photo
from webapp.teach import jobs
from webapp.teach.corrections.saying import add_tag
from webapp.teach.job_models import ModelJob
from webapp.teach.models import ModelVersion, PhotoTag, Sight
from webapp.teach.switching import activating, readying, relooking
from webapp.teach.switching.models import Activation
from webapp.teach.versions.active import active_version
from workers import housekeeping

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    return a_user("ana")


@pytest.fixture
def another(tmp_path: Path) -> ModelVersion:
    """A version whose texts are embedded in the same space, and whose eye is another."""
    folder = str(a_twin(tmp_path / "another"))
    return ModelVersion.objects.create(name="another", folder=folder)


def put_to_work(version: ModelVersion, word: str = "dog") -> int:
    return activating.activate(version, lambda: OneWord(word), tell=silent)


def words_find(user: User, word: str) -> list[int]:
    return [found.photo.pk for found in find_photos(user, f'"{word}"').found]


def tags_find(user: User, word: str) -> list[int]:
    return [found.photo.pk for found in find_photos(user, f"tag:{word}").found]


def a_cat(ana: User) -> Photo:
    photo = a_photo(ana)
    a_sight(photo, tags=[("cat", 0.9)], caption="a cat")
    return photo


def test_words_and_tags_follow_the_version_there_and_back(ana: User, another: ModelVersion) -> None:
    photo = a_cat(ana)
    put_to_work(another)
    assert (words_find(ana, "dog"), words_find(ana, "cat")) == ([photo.pk], [])
    assert (tags_find(ana, "dog"), tags_find(ana, "cat")) == ([photo.pk], [])
    activating.roll_back()
    assert (words_find(ana, "dog"), words_find(ana, "cat")) == ([], [photo.pk])
    assert (tags_find(ana, "dog"), tags_find(ana, "cat")) == ([], [photo.pk])


def test_until_the_switch_nothing_of_the_next_version_is_found(
    ana: User, another: ModelVersion
) -> None:
    photo = a_cat(ana)
    activating.make_ready(another, lambda: OneWord("dog"), tell=silent)
    assert (words_find(ana, "dog"), words_find(ana, "cat")) == ([], [photo.pk])
    assert (tags_find(ana, "dog"), tags_find(ana, "cat")) == ([], [photo.pk])


def test_a_photo_that_came_meanwhile_is_looked_at_before_the_switch(
    ana: User, another: ModelVersion
) -> None:
    a_cat(ana)
    activating.make_ready(another, lambda: OneWord("dog"), tell=silent)
    late = a_cat(ana)
    assert not activating.switch(another)
    put_to_work(another)
    assert late.pk in words_find(ana, "dog")
    assert len(engine.open_view(ana).index.vectors([p.pk for p in Photo.objects.all()])[0]) == 2


def test_what_people_say_meanwhile_is_found_by_either_version(
    ana: User, another: ModelVersion
) -> None:
    photo = a_cat(ana)
    activating.make_ready(another, lambda: OneWord("dog"), tell=silent)
    add_tag(ana, Photo.objects.filter(pk=photo.pk), "miso")
    put_to_work(another)
    assert words_find(ana, "miso") == tags_find(ana, "miso") == [photo.pk]
    activating.roll_back()
    assert words_find(ana, "miso") == tags_find(ana, "miso") == [photo.pk]


def test_after_going_back_photos_that_came_since_wait_and_are_found_by_their_names(
    ana: User, another: ModelVersion
) -> None:
    a_cat(ana)
    put_to_work(another)
    since = a_photo(ana, file_name="Rome.jpg")
    a_sight(since, tags=[("tower", 0.9)], caption="a tower")
    back = activating.roll_back()
    since.refresh_from_db()
    assert since.state == Photo.State.WAITING
    assert words_find(ana, "rome") == [since.pk]
    assert words_find(ana, "tower") == []
    assert not Sight.objects.filter(photo=since, version=back).exists()


def test_going_back_looks_at_nothing_and_keeps_every_sight(
    ana: User, another: ModelVersion, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        a_cat(ana)
    put_to_work(another)
    before = Sight.objects.count(), PhotoTag.objects.count()
    with django_assert_max_num_queries(16):
        activating.roll_back()
    assert (Sight.objects.count(), PhotoTag.objects.count()) == before


def test_each_switch_is_a_row_that_says_who_and_what_was_before(
    ana: User, another: ModelVersion
) -> None:
    first = active_version()
    put_to_work(another)
    activating.roll_back(user=ana, reason="it saw dogs everywhere")
    rows = Activation.objects.order_by("pk").values_list("kind", "name", "before", "user", "reason")
    assert list(rows) == [
        ("activated", another.name, first.name, None, ""),
        ("rolled_back", first.name, another.name, ana.pk, "it saw dogs everywhere"),
    ]


@pytest.mark.parametrize("after", range(1, 7))
def test_who_is_interrupted_goes_on_and_looks_at_nothing_twice(
    ana: User, another: ModelVersion, settings: Any, after: int
) -> None:
    settings.MAREA_LOOK_BATCH = 1
    photos = [a_cat(ana) for _ in range(4)]
    looked = 0

    class Counting(OneWord):
        def look(self, images: Sequence[Image]) -> list[Seen]:
            nonlocal looked
            looked += len(images)
            return super().look(images)

    steps = 0

    def interrupting(step: str, done: int, total: int) -> None:
        nonlocal steps
        steps += 1
        if steps == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        activating.activate(another, lambda: Counting("dog"), tell=interrupting)
    assert words_find(ana, "dog") == []
    activating.activate(another, lambda: Counting("dog"), tell=silent)
    assert looked == len(photos)
    assert set(words_find(ana, "dog")) == {photo.pk for photo in photos}


def test_the_relook_stands_back_while_photos_wait_and_somebody_looks(
    ana: User, another: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.utils import timezone

    from webapp.library.models import Worker

    a_cat(ana)
    waiting = a_photo(ana, state=Photo.State.WAITING)
    now = timezone.now()
    Worker.objects.create(name="w", queues="look", pid=1, started_at=now, seen_at=now)
    monkeypatch.setattr(relooking, "STANDS_BACK_S", 0.01)
    steps = []

    def tell(step: str, done: int, total: int) -> None:
        steps.append(step)
        if len(steps) == 3:
            Photo.objects.filter(pk=waiting.pk).update(state=Photo.State.READY)

    relooking.look_ahead(another, lambda: OneWord("dog"), tell=tell)
    assert steps[:4] == [relooking.STANDING_BACK] * 3 + [relooking.LOOKING]
    assert Sight.objects.filter(version=another).count() == 2


def test_a_version_that_is_forgotten_leaves_its_sights_and_nothing_else(
    ana: User, another: ModelVersion
) -> None:
    a_cat(ana)
    activating.make_ready(another, lambda: OneWord("dog"), tell=silent)
    table = another.texts
    readying.forget(another)
    assert table not in connection.introspection.table_names()
    assert not PhotoTag.objects.filter(version=another).exists()
    assert Sight.objects.filter(version=another).count() == 1
    put_to_work(another)
    assert len(words_find(ana, "dog")) == 1


def test_an_own_table_for_each_version_is_the_only_kind_of_table(db: None) -> None:
    with pytest.raises(ValueError, match="no full-text table"):
        fulltext.search(connection, Photo.objects.all(), ["x"], 1, table="auth_user; --")


@pytest.mark.parametrize(
    ("changed", "caption", "tag", "asked"),
    [
        ("tags", "a cat", "dog", [(1, {"tags"})]),
        ("captions", "a dog", "cat", [(1, {"captions"})]),
        ("text", "a cat", "cat", []),
        ("", "a cat", "cat", []),
        ("embedding", "a dog", "dog", [(1, {"embedding", "tags", "captions"})]),
    ],
)
def test_only_what_changed_is_looked_for_again(
    ana: User, tmp_path: Path, changed: str, caption: str, tag: str, asked: list[Any]
) -> None:
    photo = a_cat(ana)
    before = bytes(Sight.objects.get(photo=photo).embedding)
    folder = str(a_twin(tmp_path / "trained", differs_in=changed))
    trained = ModelVersion.objects.create(name="trained", folder=folder)
    eye = OneWord("dog")
    relooking.look_ahead(trained, lambda: eye, tell=silent)
    sight = Sight.objects.get(photo=photo, version=trained)
    assert (sight.caption, sight.tags[0][0]) == (caption, tag)
    assert (bytes(sight.embedding) == before) == (changed != "embedding")
    assert eye.asked == asked


def test_a_version_that_was_forgotten_and_comes_back_is_searched_in_its_new_table(
    ana: User, another: ModelVersion
) -> None:
    photo, first = a_cat(ana), active_version()
    assert words_find(ana, "cat") == [photo.pk]  # this process has opened its index
    put_to_work(another)
    readying.forget(first)
    put_to_work(first, "cat")
    assert words_find(ana, "cat") == [photo.pk]
    assert active_version().texts == f"find_text_{first.pk}"


def test_a_relook_that_gets_on_is_not_given_up_however_often_it_is_killed(ana: User) -> None:
    job = jobs.ask("activate", "another")
    ModelJob.objects.update(state=ModelJob.State.RUNNING, attempts=jobs.MAX_ATTEMPTS)
    jobs.Teller(job)(relooking.LOOKING, 2, 10)
    job.refresh_from_db()
    assert (job.attempts, job.done) == (1, 2)


def test_the_index_of_the_version_before_is_kept_up_as_well(
    ana: User, another: ModelVersion, settings: Any
) -> None:
    settings.MAREA_INDEX_DELTA = 1
    a_cat(ana)
    first = active_version()
    put_to_work(another)
    for _ in range(3):
        a_cat(ana)
    assert housekeeping.index_is_behind()
    housekeeping.build_index()
    assert not housekeeping.index_is_behind()
    assert index_store(first).manifest().high_water_mark == ChangeCounter.current()
