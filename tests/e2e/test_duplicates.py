"""Sorting duplicates in a browser, and a stack as one tile of the library."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import SignIn
from tests.factories import a_photo, a_stack, a_user, image_bytes
from webapp.accounts.models import User
from webapp.library.models import Photo
from webapp.stacks.models import Print

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def ana() -> User:
    return a_user("ana")


def copies(owner: User, *widths: int) -> list[Photo]:
    photos = []
    for width in widths:
        data = image_bytes(size=(width // 10, width * 3 // 40), seed=7, quality=50 + width // 100)
        photos.append(a_photo(owner, data=data, width=width, height=width * 3 // 4))
        Print.objects.create(photo=photos[-1], grey=b"", sharpness=1.0)
    a_stack(*photos)
    return photos


def test_the_others_go_to_the_trash_and_come_back_on_undo(sign_in: SignIn, ana: User) -> None:
    whole, _ = copies(ana, 4000, 1000)
    page = sign_in(ana)
    page.goto("/duplicates/")
    group = page.get_by_role("form", name="2 photos, copies of one picture")
    expect(group.get_by_label("Keep").first).to_be_checked()
    expect(group).to_contain_text("Most pixels")
    group.get_by_role("button", name="Move the others to the trash").click()
    expect(page.get_by_role("status").filter(has_text="1 photo moved")).to_be_visible()
    assert list(Photo.objects.in_library()) == [whole]
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("form", name="2 photos, copies of one picture")).to_be_visible()
    assert Photo.objects.in_library().count() == 2


def test_a_stack_is_one_tile_with_its_number_until_it_is_unfolded(
    sign_in: SignIn, ana: User
) -> None:
    best, *_ = copies(ana, 4000, 2000, 1000)
    a_photo(ana)
    page = sign_in(ana)
    page.goto("/")
    badge = page.locator(f".tile[data-id='{best.pk}'] .tile-stack")
    expect(badge).to_have_text("3")
    expect(page.locator(".tile")).to_have_count(2)
    page.locator(f"#photo-{best.pk}").click()
    expect(page.get_by_role("heading", name="3 photos in this stack")).to_be_visible()
    page.get_by_role("link", name="Sort duplicates").click()
    page.get_by_label("Show each group as one tile").uncheck()
    page.get_by_role("button", name="Save").click()
    page.goto("/")
    expect(page.locator(".tile")).to_have_count(4)
    expect(page.locator(".tile-stack:visible")).to_have_count(0)
