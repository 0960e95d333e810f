"""axe-core finds nothing serious on any page, light and dark, on a desktop and on a phone."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.factories import a_photo, a_sight, an_administrator
from webapp.accounts.models import User
from webapp.albums.models import Album
from webapp.albums.services import put_into
from webapp.find.query.embedding import embed_query
from webapp.library.models import Photo
from webapp.teach import reading
from webapp.teach.seen_tags import tags_named
from webapp.teach.services import active_version
from webapp.teach.taught import teaching
from webapp.teach.taught.models import TaughtTag

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

PAGES = [
    "/",
    "/photos/1/",
    "/photos/1/?q=dog",
    "/photos/2/",
    "/photos/1/similar/",
    "/albums/",
    "/albums/1/",
    "/search/",
    "/search/?q=is:favourite",
    "/search/?q=camera:none",
    "/search/?q=night&like=1",
    "/duplicates/",
    "/trash/",
    "/teach/",
    "/teach/1/",
    "/teach/1/?q=dog",
    "/upload/",
    "/processing/",
    "/account/",
    "/account/password/",
    "/account/tokens/",
    "/account/searches/",
    "/account/people/",
]
LOOKS: list[dict[str, Any]] = [
    {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "has_touch": True},
]


@pytest.mark.parametrize("look", LOOKS, ids=["desktop-light", "phone-dark"])
def test_axe_finds_nothing_serious(sign_in: Callable[..., Page], look: dict[str, Any]) -> None:
    user = an_administrator("ana")
    ready = a_photo(user, pk=1, is_favourite=True, camera="Canon", latitude=1.0, longitude=2.0)
    a_sight(
        ready,
        embedding=embed_query(active_version(), "dog"),
        caption="two dogs",
        other_captions={"de": ("zwei Hunde", 0.6)},
        tags=[("dog", 0.9), ("beach", 0.8)],
    )
    User.objects.update(caption_language="de")
    assert reading.begin(ready)
    reading.store_text(ready, [("a page of a book " * 20, 0.9, (0, 0, 1, 1))])
    album = Album.objects.create(pk=1, owner=user, name="Italy 2019")
    put_into(album, Photo.objects.filter(pk=1))
    a_photo(user, pk=2, state=Photo.State.FAILED, error="The file is truncated.")
    a_photo(user, pk=3, trashed_at=datetime.now(UTC))
    a_taught_tag(user)
    page = sign_in(user, **look)
    found = {address: serious(page, address) for address in PAGES}
    assert {address: problems for address, problems in found.items() if problems} == {}


def a_taught_tag(user: User) -> None:
    """Number 1, with enough examples to be asked about."""
    for number in range(10, 17):
        a_sight(a_photo(user, pk=number))
    TaughtTag.objects.create(pk=1, owner=user, tag=tags_named(["miso"])["miso"])
    teaching.begin(user, "miso", Photo.objects.filter(pk__range=(10, 14)))


def serious(page: Page, address: str) -> list[str]:
    page.goto(address)
    page.wait_for_load_state("networkidle")
    violations = Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {violation['nodes'][0]['html'][:200]}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
    ]
