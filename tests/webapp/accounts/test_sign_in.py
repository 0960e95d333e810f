from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from tests.factories import PASSWORD, a_user

pytestmark = pytest.mark.django_db

SIGN_IN = "/account/sign-in/"


def sign_in(client: Client, password: str = PASSWORD, **fields: str) -> object:
    return client.post(SIGN_IN, {"username": "ana", "password": password} | fields)


def test_pages_lead_to_sign_in_and_back(client: Client) -> None:
    a_user("ana", password=PASSWORD)
    asked = client.get("/account/tokens/")
    assert asked.headers["Location"] == f"{SIGN_IN}?next=/account/tokens/"
    assert sign_in(client, next="/account/tokens/").headers["Location"] == "/account/tokens/"


@pytest.mark.parametrize(
    "place", ["https://evil.example/", "//evil.example", r"/\evil.example", "javascript:alert(1)"]
)
def test_sign_in_never_leads_to_another_site(client: Client, place: str) -> None:
    a_user("ana", password=PASSWORD)
    assert sign_in(client, next=place).headers["Location"] == "/"
    assert client.get(SIGN_IN, {"next": place}).headers["Location"] == "/"


def test_sign_out_never_leads_to_another_site(client: Client) -> None:
    client.force_login(a_user())
    answer = client.post("/account/sign-out/?next=https://evil.example/")
    assert answer.headers["Location"] == SIGN_IN


def test_sign_in_starts_a_new_session(client: Client) -> None:
    """A session id planted before sign-in must not become a signed-in one."""
    a_user("ana", password=PASSWORD)
    client.session.save()
    planted = client.session.session_key
    client.cookies["sessionid"] = planted
    sign_in(client)
    assert client.cookies["sessionid"].value != planted


def test_sign_out_takes_a_post_and_ends_the_session(client: Client) -> None:
    client.force_login(a_user())
    assert client.get("/account/sign-out/").status_code == 405
    client.post("/account/sign-out/")
    assert client.get("/account/").status_code == 302


def test_too_many_wrong_passwords_pause_sign_in_and_say_for_how_long(client: Client) -> None:
    a_user("ana", password=PASSWORD)
    with time_machine.travel(datetime(2026, 11, 24, tzinfo=UTC), tick=False) as clock:
        statuses = [sign_in(client, "wrong").status_code for _ in range(5)]
        assert statuses == [200, 200, 200, 200, 429]
        answer = sign_in(client)  # even the right one, during the pause
        assert answer.status_code == 429
        assert "try again in 15 minutes" in answer.text
        assert answer.headers["Retry-After"] == "900"
        clock.shift(timedelta(minutes=16))
        assert sign_in(client).headers["Location"] == "/"


def test_the_pause_of_one_name_keeps_nobody_else_out(client: Client) -> None:
    a_user("ana", password=PASSWORD)
    for _ in range(5):
        client.post(SIGN_IN, {"username": "ben", "password": "wrong"})
    assert sign_in(client).headers["Location"] == "/"


def test_the_admin_pages_have_the_same_limit(client: Client) -> None:
    a_user("ana", password=PASSWORD, is_staff=True)
    form = {"username": "ana", "password": "wrong"}
    statuses = [client.post("/admin/login/", form).status_code for _ in range(5)]
    assert statuses[-1] == 429


def test_a_deactivated_user_stays_out(client: Client) -> None:
    a_user("ana", password=PASSWORD, is_active=False)
    assert sign_in(client).status_code == 200
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    "name", ["\0", "a" * 10_000, "<script>alert(1)</script>", "💥", "' OR 1=1 --"]
)
def test_hostile_names_are_an_ordinary_failure(client: Client, name: str) -> None:
    answer = client.post(SIGN_IN, {"username": name, "password": "wrong"})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text


def test_forms_without_the_csrf_token_are_refused_in_words() -> None:
    answer = Client(enforce_csrf_checks=True).post(SIGN_IN, {"username": "a", "password": "b"})
    assert answer.status_code == 403
    assert "reload the page and try again" in answer.text


@pytest.mark.parametrize("key", [r'"\000\000\000\000\000\000\000\000"', "é" * 8, "x" * 8, '"'])
def test_a_cookie_that_nobody_was_given_is_nobodys(client: Client, key: str) -> None:
    a_user("ana")
    answer = client.get("/", headers={"Cookie": f"sessionid={key}"})
    assert answer.headers["Location"] == f"{SIGN_IN}?next=/"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("fr,en;q=0.2", "en"),
        ("fr", "en"),
        ("", "en"),
        ("?", "en"),
    ],
)
def test_the_first_sign_in_takes_the_browsers_language(
    client: Client, asked: str, expected: str
) -> None:
    user = a_user("ana", password=PASSWORD)
    client.post(
        SIGN_IN, {"username": "ana", "password": PASSWORD}, headers={"accept-language": asked}
    )
    user.refresh_from_db()
    assert user.caption_language == expected


def test_a_chosen_language_outlasts_other_browsers(client: Client) -> None:
    user = a_user("ana", password=PASSWORD, caption_language="en")
    client.post(
        SIGN_IN, {"username": "ana", "password": PASSWORD}, headers={"accept-language": "de"}
    )
    user.refresh_from_db()
    assert user.caption_language == "en"
