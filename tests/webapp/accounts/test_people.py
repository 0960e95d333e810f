import re

import pytest
from django.test import Client

from tests.factories import PASSWORD, a_photo, a_token, a_user, an_administrator
from webapp.accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client) -> User:
    user = an_administrator("admin")
    client.force_login(user)
    return user


def shown_password(answer: object) -> str:
    return re.search(r'<code class="copy-line">([^<]+)</code>', answer.text)[1]


def test_an_added_user_can_sign_in_with_the_password_shown_once(
    client: Client, admin: User
) -> None:
    answer = client.post("/account/people/add/", {"username": "ben"})
    assert "no-store" in answer.headers["Cache-Control"]
    user = User.objects.get(username="ben")
    assert user.check_password(shown_password(answer))
    assert not user.is_superuser
    assert not user.is_staff


def test_an_administrator_may_choose_the_password_and_add_administrators(
    client: Client, admin: User
) -> None:
    form = {"username": "ben", "password": PASSWORD, "is_superuser": "on"}
    assert client.post("/account/people/add/", form).headers["Location"] == "/account/people/"
    user = User.objects.get(username="ben")
    assert user.check_password(PASSWORD)
    assert user.is_superuser


@pytest.mark.parametrize("name", ["ADMIN", "", "a b", "x" * 151, "<b>"])
def test_names_that_are_taken_or_impossible_are_refused(
    client: Client, admin: User, name: str
) -> None:
    assert client.post("/account/people/add/", {"username": name}).status_code == 200
    assert User.objects.count() == 1


def test_a_weak_chosen_password_is_refused(client: Client, admin: User) -> None:
    client.post("/account/people/add/", {"username": "benjamin", "password": "benjamin1"})
    assert User.objects.count() == 1


def test_a_reset_password_ends_the_sessions_of_its_user(client: Client, admin: User) -> None:
    ben, theirs = a_user("ben", password=PASSWORD), Client()
    theirs.force_login(ben)
    answer = client.post(f"/account/people/{ben.pk}/password")
    ben.refresh_from_db()
    assert ben.check_password(shown_password(answer))
    assert theirs.get("/account/").status_code == 302


def test_deactivating_ends_sessions_and_tokens_and_keeps_photos(
    client: Client, admin: User
) -> None:
    ben, theirs = a_user("ben"), Client()
    photo, secret = a_photo(ben), a_token(ben)
    theirs.force_login(ben)
    client.post(f"/account/people/{ben.pk}/deactivate")
    assert theirs.get("/account/").status_code == 302
    bearer = {"Authorization": f"Bearer {secret}"}
    assert Client().get("/api/v1/photos", headers=bearer).status_code == 401
    client.post(f"/account/people/{ben.pk}/reactivate")
    found = Client().get("/api/v1/photos", headers=bearer).json()["photos"]
    assert [one["id"] for one in found] == [photo.pk]


def test_administrators_cannot_lock_themselves_out(client: Client, admin: User) -> None:
    for action in ("deactivate", "password", "reactivate"):
        assert client.post(f"/account/people/{admin.pk}/{action}").status_code == 409
    admin.refresh_from_db()
    assert admin.is_active


def test_the_people_page_tells_nothing_about_photos(client: Client, admin: User) -> None:
    ben = a_user("ben")
    before = client.get("/account/people/").text
    photo = a_photo(ben, file_name="secret.jpg")
    after = client.get("/account/people/").text
    mask = re.compile(r'value="\w{64}"')  # CSRF tokens differ each time
    assert mask.sub("", before) == mask.sub("", after)
    assert photo.file_name not in after


def test_the_admin_pages_show_no_photos(client: Client, admin: User) -> None:
    photo = a_photo(a_user("ben"), file_name="secret.jpg")
    assert "/admin/library/" not in client.get("/admin/").text
    assert client.get(f"/admin/library/photo/{photo.pk}/change/").status_code == 404
    assert client.get(f"/admin/accounts/user/{photo.owner_id}/delete/").status_code == 403
    page = client.get(f"/admin/accounts/user/{photo.owner_id}/change/")
    assert page.status_code == 200
    assert "secret.jpg" not in page.text
