"""Sorting duplicates: the best is proposed and says why, the rest goes to the trash on a yes."""

from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import a_photo, a_stack, a_user
from webapp.accounts.models import User
from webapp.library.models import Photo
from webapp.library.services.trash import restore_photos
from webapp.stacks.models import Print, Stack, StackMember
from webapp.stacks.services import PAGE, groups

pytestmark = pytest.mark.django_db

DUPLICATES = reverse("stacks:duplicates")


def sort(client: Client, stack: Stack, do: str, *keep: Photo, **headers: str) -> str:
    fields = {"do": do, "keep": [str(photo.pk) for photo in keep]}
    answer = client.post(reverse("stacks:sort", args=[stack.pk]), fields, headers=headers)
    assert answer.status_code in (200, 302)
    return unescape(answer.content.decode())


def in_library() -> set[Photo]:
    return set(Photo.objects.in_library())


@pytest.fixture
def three(ana: User) -> list[Photo]:
    """A small copy, the sharp original and a blurred one of the same size."""
    small = a_photo(ana, width=400, height=300, size_bytes=100)
    sharp, blurred = (a_photo(ana, width=4000, height=3000, size_bytes=900) for _ in range(2))
    for photo, sharpness in ((small, 30.0), (sharp, 20.0), (blurred, 5.0)):
        Print.objects.create(photo=photo, grey=b"", sharpness=sharpness)
    return [small, sharp, blurred]


def test_the_best_is_chosen_and_says_why(ana: User, three: list[Photo]) -> None:
    small, sharp, blurred = three
    a_stack(sharp, blurred, small)
    (group,), following = groups(ana)
    assert following is None
    assert [choice.photo for choice in group.choices] == [sharp, blurred, small]
    assert [choice.is_best for choice in group.choices] == [True, False, False]
    assert group.choices[2].reasons == ["sharpest"]  # made smaller, so it looks sharper
    Photo.objects.filter(pk=blurred.pk).update(is_favourite=True)
    (group,), _ = groups(ana)
    assert group.choices[0].photo == blurred
    assert group.choices[0].reasons == ["a favourite"]


def test_the_others_go_to_the_trash_and_can_come_back(
    as_ana: Client, ana: User, three: list[Photo]
) -> None:
    small, sharp, blurred = three
    stack = a_stack(sharp, blurred, small)
    said = sort(as_ana, stack, "trash", sharp, **{"HX-Request": "true"})
    assert "2 photos moved to the trash." in said
    assert f'name="photos" value="{blurred.pk},{small.pk}"' in said
    assert in_library() == {sharp}
    assert groups(ana) == ([], None)
    restore_photos(Photo.objects.filter(pk__in=[small.pk, blurred.pk]))
    (group,), _ = groups(ana)
    assert len(group.choices) == 3


def test_several_may_be_kept_but_not_none(as_ana: Client, three: list[Photo]) -> None:
    stack = a_stack(*three)
    stranger = a_photo(a_user("bob"))
    for keep in ([], [stranger]):
        fields = {"do": "trash", "keep": [photo.pk for photo in keep]}
        answer = as_ana.post(reverse("stacks:sort", args=[stack.pk]), fields)
        assert answer.status_code == 422
        assert "At least one photo" in unescape(answer.content.decode())
    sort(as_ana, stack, "trash", *three[:2])
    assert in_library() == {*three[:2], stranger}


@pytest.mark.parametrize("do", ["", "burn", "delete"])
def test_an_unknown_deed_changes_nothing(as_ana: Client, three: list[Photo], do: str) -> None:
    stack = a_stack(*three)
    answer = as_ana.post(reverse("stacks:sort", args=[stack.pk]), {"do": do, "keep": "x"})
    assert answer.status_code == 422
    assert in_library() == set(three)


def test_what_is_kept_is_not_offered_again_until_another_copy_comes(
    as_ana: Client, ana: User, three: list[Photo]
) -> None:
    stack = a_stack(*three)
    sort(as_ana, stack, "keep")
    assert groups(ana) == ([], None)
    assert StackMember.objects.count() == 3  # still one tile
    StackMember.objects.create(photo=a_photo(ana), stack=stack, place=9, kind="copy")
    (group,), _ = groups(ana)
    assert len(group.choices) == 4


def test_what_is_not_the_same_is_taken_apart(as_ana: Client, three: list[Photo]) -> None:
    sort(as_ana, a_stack(*three), "apart")
    assert not Stack.objects.exists()
    assert in_library() == set(three)


def test_stacks_of_others_are_neither_shown_nor_sorted(as_ana: Client) -> None:
    bob = a_user("bob")
    theirs = [a_photo(bob, file_name=f"zanzibar-{number}.jpg") for number in range(2)]
    stack = a_stack(*theirs)
    assert "No duplicates to sort" in unescape(as_ana.get(DUPLICATES).content.decode())
    for do in ("trash", "keep", "apart"):
        fields = {"do": do, "keep": theirs[0].pk}
        assert as_ana.post(reverse("stacks:sort", args=[stack.pk]), fields).status_code == 404
    assert in_library() == set(theirs)
    assert Stack.objects.exists()


def test_groups_come_a_page_at_a_time_at_the_same_cost(as_ana: Client, ana: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            as_ana.get(DUPLICATES)
        return len(captured)

    a_stack(a_photo(ana, with_thumbnails=False), a_photo(ana, with_thumbnails=False))
    few = queries()
    for _ in range(PAGE):
        a_stack(a_photo(ana, with_thumbnails=False), a_photo(ana, with_thumbnails=False))
    assert queries() == few
    first = as_ana.get(DUPLICATES)
    assert len(first.context["groups"]) == PAGE
    last = as_ana.get(DUPLICATES, {"before": str(first.context["following"])})
    assert [len(entry["choices"]) for entry in last.context["groups"]] == [2]
    assert as_ana.get(DUPLICATES, {"before": "x"}).status_code == 200


def test_a_stack_of_which_one_photo_is_left_is_nothing_to_sort(
    as_ana: Client, ana: User, three: list[Photo]
) -> None:
    a_stack(*three)
    Photo.objects.filter(pk__in=[photo.pk for photo in three[1:]]).update(
        trashed_at="2024-01-01T00:00:00Z"
    )
    assert groups(ana) == ([], None)
