from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from tests.factories import PASSWORD, a_user
from webapp import settings as shipped
from webapp.accounts import services
from webapp.accounts.models import User
from webapp.errors import Conflict

FORM = {"username": "ana", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture(autouse=True)
def nobody_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what this process remembers of earlier tests."""
    monkeypatch.setattr(services, "_somebody_exists", False)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/search/?q=dog", "/account/sign-in/", "/nowhere"])
def test_every_page_leads_to_the_first_visit_while_there_is_no_user(
    client: Client, path: str
) -> None:
    assert client.get(path).headers["Location"] == "/account/set-up/"


@pytest.mark.django_db
def test_the_first_visit_makes_an_administrator_and_signs_them_in(
    client: Client, settings: Settings
) -> None:
    settings.PASSWORD_HASHERS = shipped.PASSWORD_HASHERS  # tests have a lighter one
    answer = client.post("/account/set-up/", FORM)
    assert answer.headers["Location"] == "/"
    user = User.objects.get()
    assert user.is_superuser
    assert user.is_staff
    assert user.password.startswith("argon2$argon2id$v=19$m=102400,")
    assert client.session["_auth_user_id"] == str(user.pk)


@pytest.mark.django_db
def test_a_weak_password_is_refused_with_its_reason(client: Client) -> None:
    answer = client.post("/account/set-up/", FORM | {"password1": "12345", "password2": "12345"})
    assert answer.status_code == 200
    assert "too short" in answer.context["form"].errors["password1"][0]
    assert "too short" in answer.text
    assert not User.objects.exists()


@pytest.mark.django_db
def test_the_set_up_page_is_closed_once_somebody_exists(client: Client) -> None:
    a_user()
    for answer in (client.get("/account/set-up/"), client.post("/account/set-up/", FORM)):
        assert answer.headers["Location"] == "/account/sign-in/"
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_knowing_that_somebody_exists_costs_one_query_a_process(
    client: Client, django_assert_num_queries: object
) -> None:
    a_user()
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert services.somebody_exists()
        assert services.somebody_exists()


@pytest.mark.django_db(transaction=True)
def test_two_first_visits_at_once_make_one_administrator() -> None:
    start = Barrier(2)

    def visit(name: str) -> bool:
        try:
            start.wait(timeout=10)
            services.create_administrator(User(username=name))
        except Conflict:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as both:
        made = list(both.map(visit, ["ana", "ben"]))
    assert sorted(made) == [False, True]
    assert User.objects.count() == 1
