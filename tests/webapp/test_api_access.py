"""Who may call the API, and what its documentation is."""

import json

import pytest
from django.test import Client

from tests.factories import a_photo, a_token, a_user
from webapp.library.models import Photo

pytestmark = pytest.mark.django_db


def test_anonymous_calls_are_told_how_to_sign_in(client: Client) -> None:
    a_user()
    answer = client.get("/api/v1/photos")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "sign_in_needed"


def test_a_token_that_may_read_cannot_write() -> None:
    user = a_user()
    photo = a_photo(user)
    program = Client(headers={"Authorization": f"Bearer {a_token(user, scope='read')}"})
    assert program.get(f"/api/v1/photos/{photo.pk}").status_code == 200
    answer = program.delete(f"/api/v1/photos/{photo.pk}")
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "read_only_token"
    assert Photo.objects.in_library().exists()


def test_a_browser_needs_the_csrf_token_to_change_anything() -> None:
    browser = Client(enforce_csrf_checks=True)
    user = a_user()
    browser.force_login(user)
    photo = a_photo(user)
    path = f"/api/v1/photos/{photo.pk}"
    assert browser.get(path).status_code == 200
    refused = browser.delete(path)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "csrf")
    browser.get("/account/password/")  # any page with a form sets the cookie
    token = browser.cookies["csrftoken"].value
    assert browser.delete(path, headers={"X-CSRFToken": token}).status_code == 200


def test_the_openapi_document_describes_every_failure_in_the_one_shape(client: Client) -> None:
    a_user()
    document = client.get("/api/v1/openapi.json").json()
    operations = [
        operation for methods in document["paths"].values() for operation in methods.values()
    ]
    assert len(operations) > 15
    for operation in operations:
        failures = {code: said for code, said in operation["responses"].items() if code >= "400"}
        assert {"401", "403", "422"} <= failures.keys()
        assert {json.dumps(said["content"]) for said in failures.values()} == {
            '{"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}}'
        }


def test_the_documentation_page_loads_nothing_from_elsewhere_and_nothing_inline(
    client: Client,
) -> None:
    client.force_login(a_user())
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    assert "https://" not in page.text
    assert "<style" not in page.text
    assert page.text.count("<script") == page.text.count("<script src=") + 1  # and one of JSON


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v2/photos", "/api/v1/"])
def test_addresses_that_are_not_there_answer_in_the_one_shape(client: Client, path: str) -> None:
    client.force_login(a_user())
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


def test_a_method_that_is_not_there_names_those_that_are(client: Client) -> None:
    client.force_login(a_user())
    answer = client.put("/api/v1/photos")
    assert answer.status_code == 405
    assert answer.json()["error"]["code"] == "method_not_allowed"
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "POST"}
