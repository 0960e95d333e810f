import pytest
from django.test import Client

from tests.factories import PASSWORD, a_token, a_user

pytestmark = pytest.mark.django_db

NEW = "another horse battery staple"
FORM = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(client: Client) -> None:
    user = a_user("ana", password=PASSWORD)
    elsewhere = Client()
    for device in (client, elsewhere):
        device.force_login(user)
    assert client.post("/account/password/", FORM).headers["Location"] == "/account/"
    assert client.get("/account/").status_code == 200
    assert elsewhere.get("/account/").status_code == 302
    user.refresh_from_db()
    assert user.check_password(NEW)


def test_the_old_password_is_asked_for(client: Client) -> None:
    user = a_user("ana", password=PASSWORD)
    client.force_login(user)
    answer = client.post("/account/password/", FORM | {"old_password": "wrong"})
    assert answer.status_code == 200
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_a_weak_new_password_is_told_where_it_was_typed(client: Client) -> None:
    user = a_user("ana", password=PASSWORD)
    client.force_login(user)
    weak = {"new_password1": "12345", "new_password2": "12345"}
    answer = client.post("/account/password/", FORM | weak)
    assert list(answer.context["form"].errors) == ["new_password1"]
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_tokens_survive_a_new_password(client: Client) -> None:
    user = a_user("ana", password=PASSWORD)
    secret = a_token(user)
    client.force_login(user)
    client.post("/account/password/", FORM)
    answer = Client().get("/api/v1/jobs", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200
