"""Taught tags while something else happens: switched off half-way, killed half-way, odd answers."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.factories import a_token, a_user
from tests.webapp.teach.taught.test_taught import ids, tagged, taught_miso
from webapp.accounts.models import User
from webapp.errors import Conflict
from webapp.library.models import Photo
from webapp.teach.models import PhotoTag
from webapp.teach.taught import tagging, teaching, using
from webapp.teach.taught.models import TaughtLine, TaughtTag

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    return a_user("ana")


def of_taught() -> int:
    return PhotoTag.objects.filter(source=PhotoTag.Source.TAUGHT).count()


@pytest.mark.parametrize(
    "meanwhile",
    [
        using.switch_off,
        using.delete,
        lambda miso: using.switch_off(miso) or using.rename(miso, "mimi"),
    ],
    ids=["switched off", "deleted", "renamed"],
)
def test_a_worker_half_way_writes_no_more_tags(
    ana: User, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[TaughtTag], Any]
) -> None:
    monkeypatch.setattr(tagging, "BATCH", 4)
    monkeypatch.setattr(using, "AT_ONCE_S", 0.0)
    miso, shown, _rest = taught_miso(ana)
    using.switch_on(miso)
    portions = 0

    def interrupted() -> bool:
        nonlocal portions
        portions += 1
        if portions == 2:
            meanwhile(teaching.get_taught(ana, miso.pk))
        return False

    using.follow(seconds=60, stopping=interrupted)
    assert of_taught() == 0
    assert not using.is_behind()
    assert len(tagged(ana) | tagged(ana, "mimi")) == 5
    assert tagged(ana) <= ids(shown)


def test_tags_that_a_killed_switch_off_left_are_taken_off_later(ana: User) -> None:
    miso, shown, _rest = taught_miso(ana)
    using.switch_on(miso)
    TaughtTag.objects.update(is_on=False)  # and there it was killed
    assert tagged(ana) == ids(shown)
    assert using.is_behind()
    using.follow(seconds=60, stopping=lambda: False)
    assert tagged(ana) == ids(shown[:5])
    assert not using.is_behind()


def test_a_large_library_is_freed_of_a_tag_by_a_worker(
    ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    miso, shown, _rest = taught_miso(ana)
    using.switch_on(miso)
    monkeypatch.setattr(tagging, "BATCH", 1)
    monkeypatch.setattr(using, "AT_ONCE_S", 0.0)
    using.switch_off(miso)
    assert of_taught() > 0
    using.follow(seconds=60, stopping=lambda: False)
    assert tagged(ana) == ids(shown[:5])


def test_a_deleted_tag_is_not_switched_on_by_a_page_that_was_left_open(ana: User) -> None:
    miso, shown, _rest = taught_miso(ana)
    left_open = teaching.get_taught(ana, miso.pk)
    using.delete(miso)
    with pytest.raises(Conflict, match="deleted"):
        using.switch_on(left_open)
    assert tagged(ana) == ids(shown[:5])
    using.restore(miso)
    assert not TaughtTag.objects.get().is_on


def test_a_deleted_name_is_told_apart_from_one_that_is_taught(ana: User) -> None:
    miso, _shown, _rest = taught_miso(ana)
    using.delete(miso)
    boat = teaching.begin(ana, "boat", Photo.objects.none())
    with pytest.raises(Conflict, match="deleted"):
        using.rename(boat, "miso")


def test_an_answer_with_hardly_any_chance_breaks_no_page(ana: User, client: Client) -> None:
    miso, shown, _rest = taught_miso(ana)
    write = {"authorization": f"Bearer {a_token(ana, scope='write')}"}
    address = f"/api/v1/taught-tags/{miso.pk}"
    for chance in (5e-324, 1e-200, 1e-9):
        payload = {"photo_id": shown[5].pk, "shows": True, "how": "likely", "chance": chance}
        said = client.post(
            f"{address}/answers", payload, content_type="application/json", headers=write
        )
        assert said.status_code in (200, 422)
        assert client.get(address, headers=write).status_code == 200


def test_a_line_that_was_told_while_it_began_anew_is_not_taken_for_told(ana: User) -> None:
    miso, _shown, _rest = taught_miso(ana)
    using.switch_on(miso)
    line = TaughtLine.objects.select_related("taught").get()
    TaughtLine.objects.update(told_through=0, is_told=False)  # switched off and on again
    tagging.tell_library(line, seconds=60, stopping=lambda: False)
    assert not TaughtLine.objects.get().is_told
