import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from tests.factories import a_token, a_user
from webapp.accounts.models import ApiToken

pytestmark = pytest.mark.django_db


def get(secret: str, path: str = "/api/v1/jobs") -> object:
    return Client().get(path, headers={"Authorization": f"Bearer {secret}"})


def test_a_token_is_shown_once_and_kept_only_as_a_hash(client: Client) -> None:
    client.force_login(a_user())
    made = client.post("/account/tokens/", {"name": "laptop", "scope": "read"})
    assert "no-store" in made.headers["Cache-Control"]
    secret = re.search(r'<code class="copy-line">([^<]+)</code>', made.text)[1]
    assert get(secret).status_code == 200
    assert secret not in client.get("/account/tokens/").text
    assert secret not in str(ApiToken.objects.values().get())


def test_a_revoked_token_is_refused(client: Client) -> None:
    user = a_user()
    client.force_login(user)
    secret = a_token(user)
    token = ApiToken.objects.get()
    client.post(f"/account/tokens/{token.pk}/revoke")
    answer = get(secret)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "bad_token"


def test_a_token_of_somebody_else_cannot_be_revoked(client: Client) -> None:
    a_token(a_user())
    client.force_login(a_user())
    foreign = client.post(f"/account/tokens/{ApiToken.objects.get().pk}/revoke")
    unknown = client.post("/account/tokens/99999/revoke")
    assert foreign.status_code == unknown.status_code == 404
    assert ApiToken.objects.count() == 1


def test_a_token_opens_no_page_and_so_makes_no_other_token() -> None:
    secret = a_token(a_user(), scope="write")
    for path in ("/account/tokens/", "/account/", "/admin/", "/"):
        assert get(secret, path).status_code == 302
    answer = Client().post(
        "/account/tokens/",
        {"name": "wider", "scope": "write"},
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.status_code == 302
    assert ApiToken.objects.count() == 1


def test_a_wrong_token_is_refused_though_the_browser_is_signed_in(client: Client) -> None:
    client.force_login(a_user())
    answer = client.get("/api/v1/jobs", headers={"Authorization": "Bearer marea_wrong"})
    assert answer.status_code == 401


@pytest.mark.parametrize("secret", ["", " ", "\x7f", "a" * 5000, "marea_"])
def test_hostile_tokens_are_refused(secret: str) -> None:
    assert get(secret).status_code == 401


def test_use_is_noted_at_most_once_a_minute() -> None:
    secret = a_token(a_user())
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    seen = []
    with time_machine.travel(noon, tick=False) as clock:
        for seconds in (0, 30, 31):  # at noon, 12:00:30 and 12:01:01
            clock.shift(timedelta(seconds=seconds))
            get(secret)
            seen.append(ApiToken.objects.get().last_used_at)
    assert seen == [noon, noon, noon + timedelta(seconds=61)]


@pytest.mark.parametrize("form", [{"name": "", "scope": "read"}, {"name": "a", "scope": "all"}])
def test_a_token_needs_a_name_and_a_known_scope(client: Client, form: dict[str, str]) -> None:
    client.force_login(a_user())
    assert client.post("/account/tokens/", form).status_code == 200
    assert not ApiToken.objects.exists()
