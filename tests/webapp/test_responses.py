"""One failure, two shapes: a calm page for people, JSON for programs."""

from collections.abc import Iterator

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation, TooManyFieldsSent
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import include, path

from tests.factories import a_user
from webapp import errors
from webapp.responses import server_error

RAISED = {
    "user": errors.Conflict("It changed meanwhile. Reload the page.", code="changed", field="x"),
    "unavailable": errors.Unavailable("Search is not at work."),
    "missing": Http404("internal detail"),
    "forbidden": PermissionDenied("Only administrators may do this."),
    "silent": PermissionDenied(),
    "suspicious": SuspiciousOperation("internal detail"),
    "fields": TooManyFieldsSent("internal detail"),
    "bug": ZeroDivisionError("internal detail"),
}


def failing(request: HttpRequest, name: str) -> HttpResponse:
    raise RAISED[name]


# A URL configuration of this module: the real one, and views that fail.
urlpatterns = [
    path("fail/<str:name>", failing),
    path("api/fail/<str:name>", failing),
    path("", include("webapp.urls")),
]
handler400 = "webapp.responses.bad_request"
handler403 = "webapp.responses.permission_denied"
handler404 = "webapp.responses.page_not_found"
handler500 = "webapp.responses.server_error"

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Iterator[Client]:
    with override_settings(ROOT_URLCONF=__name__):
        client = Client(raise_request_exception=False)
        client.force_login(a_user())
        yield client


EXPECTED = [
    ("user", 409, "changed", "It changed meanwhile. Reload the page."),
    ("unavailable", 503, "unavailable", "Search is not at work."),
    ("missing", 404, "not_found", "There is no such page"),
    ("forbidden", 403, "forbidden", "Only administrators may do this."),
    ("silent", 403, "forbidden", "You may not do this."),
    ("suspicious", 400, "bad_request", "reload the page and try again"),
    ("fields", 413, "too_many_parts", "try it in smaller steps"),
    ("bug", 500, "server_error", "Something went wrong on our side."),
]


@pytest.mark.parametrize(("name", "status", "code", "message"), EXPECTED)
def test_people_get_a_page_that_says_what_happened(
    browser: Client, name: str, status: int, code: str, message: str
) -> None:
    answer = browser.get(f"/fail/{name}", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert message in answer.text
    assert "internal detail" not in answer.text


@pytest.mark.parametrize(("name", "status", "code", "message"), EXPECTED)
@pytest.mark.parametrize(
    ("prefix", "headers"),
    [("/api", {}), ("", {"Accept": "application/json"}), ("", {"HX-Request": "true"})],
    ids=["api", "accept", "htmx"],
)
def test_programs_get_json_in_the_one_shape(
    browser: Client,
    prefix: str,
    headers: dict[str, str],
    name: str,
    status: int,
    code: str,
    message: str,
) -> None:
    answer = browser.get(f"{prefix}/fail/{name}", headers=headers)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["code"] == code
    assert message in error["message"]
    assert "internal detail" not in answer.text
    assert error.keys() - {"field"} == {"code", "message"}


def test_the_page_for_our_own_bugs_needs_no_database(browser: Client) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("the page asked the database")

    request = RequestFactory().get("/")
    with connection.execute_wrapper(refuse):
        answer = server_error(request)
    assert "Something went wrong on our side." in answer.text


def test_an_unknown_host_name_is_told_what_to_set(client: Client) -> None:
    a_user()
    answer = client.get("/account/sign-in/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "ALLOWED_HOSTS" in answer.text
    assert "evil.example" not in answer.text


def test_a_body_beyond_djangos_limit_is_too_large(client: Client) -> None:
    client.force_login(a_user())
    body = b'{"ids": [' + b"1," * 2_000_000 + b"1]}"
    answer = client.post("/api/v1/photos/trash", body, content_type="application/json")
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too_large"


def test_scripts_of_signed_out_pages_are_told_so(client: Client) -> None:
    a_user()
    answer = client.get("/photos/months", headers={"Accept": "application/json"})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "sign_in_needed"


def test_a_wrong_method_is_answered_in_words(browser: Client) -> None:
    answer = browser.post("/trash/", headers={"Accept": "text/html"})
    assert answer.status_code == 405
    assert "This address answers GET, HEAD, not POST." in answer.text
