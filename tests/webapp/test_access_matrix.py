"""Who may do what, over every address and method of Marea (`access_rows.py`).

Nothing of one person is shown to, counted for, or changed by another, administrators included;
and a thing of somebody else answers byte for byte like one that does not exist.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, get_resolver

from tests.factories import (
    a_photo,
    a_sight,
    a_stack,
    a_token,
    a_user,
    an_administrator,
    image_bytes,
)
from tests.webapp.access_rows import (
    API,
    MANY,
    MINE,
    ONE,
    PEOPLE,
    PUBLIC,
    ROWS,
    SECRET,
    Kind,
    Row,
    Things,
)
from tests.webapp.clients import browser_of, program_of
from webapp.accounts.models import ApiToken, User
from webapp.albums.models import Album, AlbumPhoto
from webapp.examples.models import ExampleImage
from webapp.examples.services import token_of
from webapp.find.index import engine
from webapp.library.models import Photo, Upload
from webapp.library.services.uploads import start_upload
from webapp.teach.corrections.saying import add_tag
from webapp.teach.models import Correction, PhotoTag, Sight
from webapp.teach.taught import teaching
from webapp.teach.taught.models import TaughtTag

pytestmark = pytest.mark.django_db

UNKNOWN = Things(
    photo_id=999_999,
    trashed_id=999_999,
    failed_id=999_999,
    sha256="0" * 64,
    token_id=999_999,
    key="x" * 43,
    user_id=999_999,
)
SIGN_IN = "/account/sign-in/"
# What differs from one answer to the next without telling anything.
VARYING = re.compile(rb'name="csrfmiddlewaretoken" value="\w+"|data-csrf-token="\w+"')


def rows(*kinds: Kind, only: Callable[[Row], bool] = lambda row: True) -> pytest.MarkDecorator:
    chosen = [row for row in ROWS if row.kind in kinds and only(row)]
    return pytest.mark.parametrize("row", chosen, ids=str)


@pytest.fixture(autouse=True)
def fresh_index() -> Iterator[None]:
    """Each test has a database of its own, which the index of the last one is not about."""
    engine.close()
    yield
    engine.close()


@pytest.fixture
def owner() -> User:
    return a_user("owner")


@pytest.fixture
def stranger() -> User:
    user = a_user("stranger")
    a_sight(a_photo(user, is_favourite=True), caption="a cat on a wall", tags=[("cat", 0.9)])
    return user


def things_of(user: User) -> Things:
    """A photo that tells who it is in every way, one in the trash, a failed one, a token, ..."""
    first, second, third = (image_bytes(seed=10 * user.pk + n) for n in range(3))
    photo = a_photo(user, data=first, file_name=f"{SECRET}.jpg", camera=SECRET, is_favourite=True)
    a_sight(photo, caption=f"a beach in {SECRET}", tags=[(SECRET, 0.9), ("cat", 0.8)])
    said = add_tag(user, Photo.objects.filter(pk=photo.pk), f"{SECRET} holidays")
    trashed_at = datetime(2024, 1, 1, tzinfo=UTC)
    trash = a_photo(user, data=second, file_name=f"{SECRET}-2.jpg", trashed_at=trashed_at)
    error = f"{SECRET} is broken."
    failed = a_photo(user, data=third, file_name=f"{SECRET}-3.jpg", state="failed", error=error)
    a_token(user, name=SECRET)
    upload = start_upload(user, file_name=f"{SECRET}-4.jpg", size_bytes=9)
    token = ApiToken.objects.get(user=user, name=SECRET)
    album = Album.objects.create(owner=user, name=f"{SECRET} 2019")
    AlbumPhoto.objects.create(album=album, photo=photo)
    example = ExampleImage.objects.create(owner=user, key=f"{SECRET}{user.pk}", picture=first)
    return Things(
        album_id=album.pk,
        example=token_of(example),
        stack_id=a_stack(photo, failed).pk,
        act=str(said.act),
        taught_id=teaching.begin(user, f"{SECRET} cat", Photo.objects.filter(pk=photo.pk)).pk,
        photo_id=photo.pk,
        trashed_id=trash.pk,
        failed_id=failed.pk,
        sha256=photo.sha256,
        token_id=token.pk,
        key=upload.key,
        user_id=user.pk,
    )


def ask(client: Client, row: Row, things: Things, *, path_of: Things | None = None) -> Any:
    """Send the row's request about `things`."""
    path = re.sub(
        r"<(?:\w+:)?(\w+)>", lambda name: str(getattr(path_of or things, name[1])), row.route
    )
    return getattr(client, row.method.lower())(f"/{path}", **row.request(things))


def told(answer: Any) -> tuple[int, bytes, str | None, str | None]:
    """Everything an answer tells: status, body, type and where it leads."""
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    headers = answer.headers
    return (
        answer.status_code,
        VARYING.sub(b"", content),
        headers.get("Content-Type"),
        headers.get("Location"),
    )


def everything_of(user: User) -> list[Any]:
    """All rows that belong to `user`, to see that nothing changed."""
    photos = Photo.objects.filter(owner=user)
    of_photos: list[type[Model]] = [PhotoTag, Correction, Sight, AlbumPhoto]
    return [
        list(photos.order_by("pk").values()),
        *(
            list(kind._default_manager.filter(photo__in=photos).order_by("pk").values())
            for kind in of_photos
        ),
        list(ApiToken.objects.filter(user=user).order_by("pk").values()),
        list(TaughtTag.objects.filter(owner=user).order_by("pk").values()),
        list(Upload.objects.filter(owner=user).order_by("pk").values()),
        list(Album.objects.filter(owner=user).order_by("pk").values()),
        list(User.objects.filter(pk=user.pk).values("password", "is_active", "is_superuser")),
    ]


# --- The matrix is complete ---


def routes(patterns: Any, before: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        elif not route.startswith("admin/"):
            yield from routes(pattern.url_patterns, route)


def all_routes() -> list[str]:
    return list(dict.fromkeys(routes(get_resolver().url_patterns)))


def test_every_address_has_rows_and_every_row_an_address() -> None:
    assert sorted(set(all_routes())) == sorted({row.route for row in ROWS})


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_methods_without_a_row_are_not_answered(method: str, owner: User) -> None:
    things = things_of(owner)
    client = browser_of(owner)
    rows = [
        Row(method, route, PUBLIC, request=lambda _: {"headers": {"Tus-Resumable": "1.0.0"}})
        for route in set(all_routes()) - {row.route for row in ROWS if row.method == method}
        if route != API  # the bare prefix answers 404 to every method
    ]
    statuses = {str(row): ask(client, row, things).status_code for row in rows}
    assert {row: status for row, status in statuses.items() if status != 405} == {}


def test_the_api_documents_exactly_the_rows(client: Client) -> None:
    a_user()
    document = client.get("/api/v1/openapi.json").json()
    documented = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    api_rows = {
        (row.method, "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", row.route))
        for row in ROWS
        if row.is_api and row.kind is not PUBLIC
    }
    assert documented == api_rows


# --- The owner ---


@rows(MINE, ONE, MANY, PUBLIC)
def test_the_owner_is_answered(row: Row, owner: User) -> None:
    assert ask(browser_of(owner), row, things_of(owner)).status_code == row.ok


# --- Nobody ---


@rows(MINE, ONE, MANY, PEOPLE)
def test_nobody_gets_in_without_signing_in(row: Row, owner: User) -> None:
    things = things_of(owner)
    before = everything_of(owner)
    answer = ask(browser_of(None), row, things)
    if row.is_api:
        assert answer.status_code == 401
    else:
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith(SIGN_IN)
    assert everything_of(owner) == before


@rows(PUBLIC)
def test_what_is_public_tells_nothing_of_anybody(row: Row, owner: User) -> None:
    before = told(ask(browser_of(None), row, UNKNOWN))
    things = things_of(owner)
    assert told(ask(browser_of(None), row, things)) == before


@rows(MINE, ONE, MANY, PEOPLE, only=lambda row: not row.reads)
def test_no_other_site_makes_a_signed_in_browser_change_anything(row: Row, owner: User) -> None:
    """Piwigo's CVE-2024-48311: a change needs the CSRF token, which other sites cannot read."""
    User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    things = things_of(owner)
    before = everything_of(owner)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    assert ask(browser, row, things).status_code == 403
    assert everything_of(owner) == before


# --- Strangers, with and without an administrator's rights, by browser and by program ---


@pytest.fixture(params=["stranger", "administrator"])
def other(request: pytest.FixtureRequest, stranger: User) -> User:
    if request.param == "administrator":
        User.objects.filter(pk=stranger.pk).update(is_staff=True, is_superuser=True)
        stranger.refresh_from_db()
    return stranger


@rows(ONE)
def test_a_thing_of_somebody_else_answers_like_none(row: Row, owner: User, other: User) -> None:
    things, client = things_of(owner), browser_of(other)
    before = everything_of(owner)
    foreign, unknown = (told(ask(client, row, each)) for each in (things, UNKNOWN))
    assert foreign == unknown
    assert foreign[0] == 404
    assert everything_of(owner) == before


@rows(MANY)
def test_things_of_somebody_else_are_left_out_like_none(row: Row, owner: User, other: User) -> None:
    things, own, client = things_of(owner), things_of(other), browser_of(other)
    before = everything_of(owner)
    foreign = told(ask(client, row, things, path_of=own))
    after = everything_of(owner)
    unknown = told(ask(client, row, UNKNOWN, path_of=own))
    assert foreign == unknown
    assert after == before


@rows(ONE, MANY, only=lambda row: row.is_api)
def test_programs_of_somebody_else_learn_as_little(row: Row, owner: User, stranger: User) -> None:
    things, program = things_of(owner), program_of(stranger, "write")
    before = everything_of(owner)
    assert told(ask(program, row, things)) == told(ask(program, row, UNKNOWN))
    assert everything_of(owner) == before


@rows(MINE, only=lambda row: row.method == "GET")
def test_lists_counts_and_searches_do_not_depend_on_others(
    row: Row, owner: User, other: User
) -> None:
    client = browser_of(other)
    before = told(ask(client, row, UNKNOWN))
    things_of(owner)
    assert told(ask(client, row, UNKNOWN)) == before


# --- Tokens ---


@rows(MINE, ONE, MANY, only=lambda row: row.is_api)
def test_a_token_that_may_read_reads_and_changes_nothing(row: Row, owner: User) -> None:
    things, program = things_of(owner), program_of(owner, "read")
    before = everything_of(owner)
    answer = ask(program, row, things)
    assert answer.status_code == (row.ok if row.reads else 403)
    ApiToken.objects.update(last_used_at=None)
    assert everything_of(owner) == before


@rows(MINE, ONE, MANY, only=lambda row: row.is_api)
def test_a_token_that_may_write_does_what_its_owner_does(row: Row, owner: User) -> None:
    things, program = things_of(owner), program_of(owner, "write")
    assert ask(program, row, things).status_code == row.ok


@rows(MINE, ONE, MANY, PEOPLE, only=lambda row: not row.is_api)
def test_tokens_open_no_pages(row: Row, owner: User) -> None:
    things = things_of(owner)
    User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    request = row.request(things)
    headers = request.pop("headers", {}) | {
        "Authorization": f"Bearer {a_token(owner, scope='write')}"
    }
    quiet = Row(row.method, row.route, row.kind, request=lambda _: request | {"headers": headers})
    assert ask(Client(), quiet, things).status_code == 302


# --- People's accounts, and Django's admin ---


@rows(PEOPLE)
def test_only_administrators_look_after_people(row: Row, owner: User, stranger: User) -> None:
    things = things_of(owner)
    before = everything_of(owner)
    assert ask(browser_of(stranger), row, things).status_code == 403
    assert everything_of(owner) == before
    assert ask(browser_of(an_administrator()), row, things).status_code == row.ok


@rows(PEOPLE, only=lambda row: row.method == "GET")
def test_pages_about_people_tell_nothing_of_their_photos(row: Row, owner: User) -> None:
    client = browser_of(an_administrator())
    before = told(ask(client, row, UNKNOWN))
    things_of(owner)
    assert told(ask(client, row, UNKNOWN)) == before


def test_django_admin_knows_accounts_and_versions_but_no_photos() -> None:
    ours = {model._meta.label for model in admin.site._registry if "webapp" in model.__module__}
    assert ours == {"accounts.User", "teach.ModelVersion", "teach.DataSet", "teach.TrainingRun"}


@pytest.mark.parametrize("who", ["nobody", "user"])
def test_django_admin_opens_for_staff_only(who: str, owner: User, client: Client) -> None:
    client = browser_of(owner if who == "user" else None)
    for path in (
        "",
        "accounts/user/",
        "teach/modelversion/",
        "teach/modelversion/overview/",
        "teach/dataset/",
        "axes/accessattempt/",
        "nowhere/",
    ):
        assert client.get(f"/admin/{path}").status_code == 302
